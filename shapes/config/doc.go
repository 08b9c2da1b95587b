// Package config reads a model's architecture from the files that projects keep beside their code:
//
//   - Hugging Face config.json, and the files of trainers, by a table of architectures
//     (architectures.yaml), which a user's own [Table] extends,
//   - gin files of T5X and Mesh TensorFlow (operative_config.gin),
//   - this project's own YAML, see below,
//   - safetensors headers and their shard index, which hold exact tensors.
//
// [Export] writes a shape in some of them.
//
// [Read] detects which of them it was given. A file is either understood completely or refused: a
// field that changes the architecture in a way [shapes.Shape] cannot say is a fault, a field that
// changes neither parameters nor operations is passed over, and a field nobody knows is listed in
// [Result.Unknown]. Faults are collected, each with its line and column, and returned together as
// an [*syntax.Error].
//
// # YAML
//
// The keys are the fields of [shapes.Shape] and [shapes.Stack] in snake_case:
//
//	name, family, then those of the table in shapefield.go; docs/shape-file.md explains each
//
// bias is none, all, qkv, no-key or a list of q, k, v, o and ffn; a stack is a section or none. A
// key not given has its value of T5 v1.0 (tied head, RMSNorm, no bias, ReLU, relative positions) or
// is 0. With extends, it has the value of the shape that extends names: a catalogue name, an edit
// of one such as t5-base/el=24, or the path of another file of any format, relative to this one
// (./base.yaml). A changed number of heads changes kv_heads with it where the two were equal; a
// changed kind of position drops a table it does not use.
//
// # Limits
//
// Input is hostile until read: sizes, nesting and the chain of extends are bounded, and nothing is
// allocated on the word of a length field.
package config
