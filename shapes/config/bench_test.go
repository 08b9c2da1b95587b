package config

import (
	"bytes"
	"testing"
)

// One file of each format, from memory: a check of 200 files reads each once.
func BenchmarkRead(b *testing.B) {
	for _, name := range []string{"llama-2-7b.json", "mesh-small-el32.gin", "t5-small.yaml"} {
		content, err := testOptions().Open("good/" + name)
		if err != nil {
			b.Fatal(err)
		}
		var file bytes.Buffer
		if _, err := file.ReadFrom(content); err != nil {
			b.Fatal(err)
		}
		content.Close()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(name, bytes.NewReader(file.Bytes()), Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
