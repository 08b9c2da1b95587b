// Package explore writes the explorer: one offline page that recomputes counts, memory, step time,
// bill and recommendation front while sliders move. The answers come from reports/explore/engine
// compiled to WebAssembly, which is embedded compressed; `go test ./reports/explore -run Fresh
// -update` rebuilds it.
//
// wasm_exec.js is the loader of the Go distribution, under its BSD licence.
package explore
