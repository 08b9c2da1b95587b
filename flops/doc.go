// Package flops counts what a Transformer costs in arithmetic and in bytes: parameters exactly,
// floating-point operations under a named convention, and memory per device.
//
// The centre is the [Ledger]: one row per kind of operation in the model, each with its matrix
// dimensions. Closed forms ([CountParameters], [Forward]) give the same totals without building it;
// a property test holds the two together.
//
// A multiply-add is 2 FLOPs. Symbols: B sequences, Se and Sd encoder and decoder length, d d_model,
// i = heads·d_kv, k = kv_heads·d_kv, f d_ff, g matrices of the feed-forward, V vocabulary, EL and
// DL layers.
package flops
