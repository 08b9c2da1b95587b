package explore

import (
	_ "embed"
	"encoding/base64"
	"io"
	"strings"
)

var (
	//go:embed page.html
	page string
	//go:embed page.css
	style string
	//go:embed page.js
	script string
	//go:embed worker.js
	worker string
	//go:embed wasm_exec.js
	loader string
	//go:embed explorer.wasm.gz
	program []byte
)

// Write writes the page. It holds all it needs and asks the network for nothing. Its parts are all
// ours: no text of a user enters it.
func Write(w io.Writer) error {
	parts := strings.NewReplacer("{style}", style, "{loader}", loader, "{worker}", worker,
		"{script}", script,
		"{program}", base64.StdEncoding.EncodeToString(program))
	_, err := parts.WriteString(w, page)
	return err
}
