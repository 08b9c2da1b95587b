// Package kernel trains T5 models on the processor: complete steps of forward pass, backward pass
// and optimizer in single precision, for any encoder-decoder shape of the T5 family.
//
// Its purpose is measurement. A predicted step time is worth as much as the measured steps it rests
// on, and a measured step says something about a machine only if the program wastes little of it:
// the matrix products run at the speed of the machine (package gemm), everything else is vectorised
// (package vec), and nothing is allocated or started during a step (package pool). The package
// counts the FLOPs of its own matrix products as they run and knows nothing of the analytical model
// that those counts are held against.
//
// # The model
//
// Symbols: B sequences, S positions of a stack, T = B·S, d d_model, f d_ff, i = heads·d_kv, V
// vocabulary. Each block is pre-norm:
//
//	x' = x + W_o·attention(norm(x)), x' = x + W_o·relu(W_i·norm(x)) or x + W_o·(gelu(W_0·norm(x)) ⊙ W_1·norm(x))
//	attention = softmax(Q·Kᵀ + bias)·V without 1/√d_kv, bias shared by the layers and sequences of a stack, none across stacks
//	logits = E·(norm(x)·d^−½) with a tied head, W_head·norm(x) with one of its own
//
// after Raffel et al. 2020, section 2.1, arXiv 1910.10683, and Shazeer 2020, arXiv 2002.05202.
// Targets are fed to the decoder shifted by one position, behind token 0. There is no dropout.
//
// # How a step runs
//
// A [Model] lays out one arena and records its operations once, as a list that each step plays from
// the start. Weights are stored as outputs × inputs, so that queries, keys and values are three
// neighbouring tensors and one product. Attention is one task a sequence and head: scores, softmax
// and values without leaving the cache of a core.
//
// Losses and parameters are the same, bit for bit, for every number of threads. They differ in the
// last digits between instruction paths.
package kernel
