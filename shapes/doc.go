// Package shapes says what a model is: the architecture of a Transformer as a plain value, before
// any data, hardware or training choice.
//
// A [Shape] is one or two [Stack]s around a shared width d_model and a vocabulary. An
// encoder-decoder such as T5 has both stacks, BERT has only an encoder, GPT only a decoder.
// Everything that changes a parameter count or an operation count is a field; nothing else is.
//
// Shapes come from three places: the catalogue of released models ([Lookup], [Catalogue]), edits of
// them in the letters of Tay et al. 2021 (arXiv 2109.10686), such as t5-small/nl=16 ([Parse]), and
// config files (package shapes/config).
package shapes
