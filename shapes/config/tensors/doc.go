// Package tensors reads and writes the headers of safetensors files: names, types and sizes of the
// tensors of a model, and the parameters that they stand for where they are packed. Data are not
// read, and nothing is allocated on the word of a length field.
package tensors
