// The front is searched beside the page, so that a search never holds up a slider.
onmessage = async ({ data }) => {
  if (data.module) {
    const go = new Go();
    go.run(await WebAssembly.instantiate(data.module, go.importObject));
    postMessage({ ready: true });
    return;
  }
  const began = performance.now();
  const reply = deepnarrow(data.question, data.fragment);
  postMessage({ ...data, reply, milliseconds: performance.now() - began });
};
