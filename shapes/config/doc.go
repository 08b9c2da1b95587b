// Package config reads a model's architecture from the files that projects
// keep beside their code:
//
//   - Hugging Face config.json of the architectures of [Architectures],
//   - gin files of T5X and Mesh TensorFlow (operative_config.gin),
//   - this project's own YAML, with extends,
//   - safetensors headers and their shard index, which hold exact tensors.
//
// [Read] detects which of them it was given. A file is either understood
// completely or refused: a field that changes the architecture in a way
// [shapes.Shape] cannot say is a fault, a field that changes neither parameters
// nor operations is passed over, and a field nobody knows is listed in
// [Result.Unknown]. Faults are collected, each with its line and column, and
// returned together as an [*Error].
//
// Input is hostile until read: sizes, nesting and the chain of extends are
// bounded, and nothing is allocated on the word of a length field.
package config
