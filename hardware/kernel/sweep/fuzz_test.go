package sweep

import (
	"testing"
	"testing/fstest"
)

// FuzzRead joins folders of any records: those that join have names of their own.
func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"shape\":\"s\",\"steps\":3,\"rate\":1}\n"), []byte("{\"shape\":\"s/nl=2\",\"steps\":3,\"rate\":1}\n"))
	f.Add([]byte("{\"shape\":\"s\",\"loss\":1}\n"), []byte("{\"shape\":\"s\",\"loss\":2}\n"))
	f.Add([]byte("{"), []byte(nil))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		records, err := Read(fstest.MapFS{"a.jsonl": {Data: a}, "b.jsonl": {Data: b}, ".c.jsonl": {Data: []byte("{")}})
		if err != nil {
			return
		}
		merged, err := Merge(records)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for i := range merged {
			name := FileName(&merged[i])
			if seen[name] {
				t.Errorf("two runs are called %s", name)
			}
			seen[name] = true
		}
	})
}
