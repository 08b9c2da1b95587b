package config

import "testing"

func TestCalledModel(t *testing.T) {
	for name, want := range map[string]bool{
		"a/config.json": true, "run.GIN": true, "x.safetensors": true, "package.json": false,
		"a.yaml": false, "config.json/readme.md": false,
	} {
		if got := CalledModel(name); got != want {
			t.Errorf("%s is called as a model is: %v, want %v", name, got, want)
		}
	}
}
