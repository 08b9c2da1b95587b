package kernel

import (
	"bytes"
	"testing"
)

// FuzzLoad: a damaged checkpoint is an error, and one that is read has the steps that it says.
func FuzzLoad(f *testing.F) {
	m := mustNew(f, small(), smallBatch)
	var file bytes.Buffer
	if err := m.Save(&file, map[string]string{"seed": "1"}); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add(file.Bytes()[:200])
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		metadata, err := m.Load("fuzz", bytes.NewReader(text))
		if err == nil && metadata[stepKey] == "" {
			t.Error("a checkpoint without steps was read")
		}
	})
}

// FuzzReadRecords: records that are read are written and read again as the same.
func FuzzReadRecords(f *testing.F) {
	f.Add([]byte("{\"shape\":\"s\",\"steps\":3,\"loss\":2.5,\"rate\":0.001,\"kernel\":1}\n\n{}\n"))
	f.Add([]byte("{\"shape\":\"s\",\"loss\":1e999}"))
	f.Add([]byte("{\"shape\":\"s\"}\n{\"torn"))
	f.Fuzz(func(t *testing.T, text []byte) {
		records, err := ReadRecords("r", bytes.NewReader(text))
		if err != nil {
			return
		}
		var file bytes.Buffer
		for _, r := range records {
			if err := WriteRecord(&file, r); err != nil {
				t.Fatal(err)
			}
		}
		again, err := ReadRecords("r", &file)
		if err != nil || len(again) != len(records) {
			t.Fatalf("%d records became %d, error %v", len(records), len(again), err)
		}
		for i := range again {
			if again[i] != records[i] {
				t.Errorf("%+v became %+v", records[i], again[i])
			}
		}
	})
}
