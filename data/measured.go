package data

import (
	"embed"
	"io/fs"
)

//go:embed measured/*.jsonl
var measuredFiles embed.FS

// Measured returns this project's own measurements, evidence class [MeasuredHere]: a file a
// session, its lines with machine, date and spread. README.md beside them has the commands.
func Measured() fs.FS {
	inside, err := fs.Sub(measuredFiles, "measured")
	if err != nil {
		panic("data: " + err.Error()) // a mistake made here
	}
	return inside
}
