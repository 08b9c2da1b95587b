//go:build js && wasm

// Command explorer is the WebAssembly side of the explorer's page. It puts one function into the
// page, deepnarrow(question, fragment), which returns JSON: {"answer": …} or {"error": "…"}. The
// page is written by `deepnarrow explore`.
package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"syscall/js"

	"github.com/deepnarrow/deepnarrow/reports/explore/engine"
)

func main() {
	// The heap is a few megabytes: collecting less often keeps moves even.
	debug.SetGCPercent(1000)
	js.Global().Set("deepnarrow", js.FuncOf(func(_ js.Value, args []js.Value) any {
		return reply(args[0].String(), args[1].String())
	}))
	select {}
}

func reply(question, fragment string) (out string) {
	defer func() {
		if fault := recover(); fault != nil {
			out = encode(nil, fmt.Errorf("internal error: %v", fault))
		}
	}()
	switch question {
	case "choices":
		return encode(engine.Choices(), nil)
	case "plan":
		return encode(engine.Answer(fragment))
	case "aside":
		return encode(engine.Beside(fragment))
	case "front":
		return encode(engine.Recommend(fragment))
	}
	return encode(nil, fmt.Errorf("unknown question: %q", question))
}

func encode(answer any, err error) string {
	reply := map[string]any{"answer": answer}
	if err != nil {
		reply = map[string]any{"error": err.Error()}
	}
	text, err := json.Marshal(reply)
	if err != nil {
		return `{"error":"the answer has a value that is not a number"}`
	}
	return string(text)
}
