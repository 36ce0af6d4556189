// when.mjs: a case that makes sense in some combinations only.
export function when(applies, run) {
  run.applies = applies;
  return run;
}
