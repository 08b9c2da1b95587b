// Package engine answers the explorer's questions: a state, which is what the sliders say, in;
// counts, memory, step time and bill, or the recommendation front, out. It is compiled to
// WebAssembly by cmd/explorer and runs unchanged in the tests, so a page and the command line give
// the same numbers.
package engine
