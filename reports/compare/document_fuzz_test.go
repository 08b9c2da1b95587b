package compare

import "testing"

// FuzzReadDocument reads results of other commands.
func FuzzReadDocument(f *testing.F) {
	f.Add([]byte(`{"schema":"deepnarrow/count/v1","conventions":{"flops":"matmul"},"results":[{"shape":{"name":"s"},` +
		`"params":{"total":5},"time":{"step_seconds":{"value":1,"low":0,"high":2}}}]}`))
	f.Add([]byte(`{"results":[[1],"a",null,{"shape":[],"hardware":{}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := ReadDocument(text)
		if err == nil && len(all) > 0 && !IsDocument(text) {
			_ = all[0].Name // documents are told apart before they are read
		}
	})
}
