package cli

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/reports"
)

// A workbook holds the cells of the CSV: numbers as numbers, texts as texts, whatever they hold. Every
// part is well-formed.
func TestWorkbookHoldsTheRows(t *testing.T) {
	r := frame.NewReport("plan")
	r.Rows = []any{
		map[string]any{"a": 1.5, "b": "x<y & \"z\"", "c": "=1+1"},
		map[string]any{"a": 1e21, "b": " 8xh100,price=2 ", "c": nil},
	}
	r.Document.Results = r.Rows
	var book, text bytes.Buffer
	if err := frame.WriteXLSX(&book, &r); err != nil {
		t.Fatal(err)
	}
	if err := r.Write(&text, reports.CSVFormat, reports.View{}); err != nil {
		t.Fatal(err)
	}
	want, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(book.Bytes()), int64(book.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var sheet struct {
		Rows []struct {
			Cells []struct {
				Type  string `xml:"t,attr"`
				Value string `xml:"v"`
				Text  string `xml:"is>t"`
			} `xml:"c"`
		} `xml:"sheetData>row"`
	}
	for _, f := range z.File {
		part, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		into := any(&struct{ XMLName xml.Name }{})
		if strings.Contains(f.Name, "sheet1") {
			into = &sheet
		}
		if err := xml.Unmarshal(body, into); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	if len(sheet.Rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(sheet.Rows), len(want))
	}
	for i, row := range want {
		for k, cell := range row {
			got := sheet.Rows[i].Cells[k]
			_, err := strconv.ParseFloat(cell, 64)
			number := err == nil && i > 0
			if number != (got.Value != "") || got.Value+got.Text != cell && !number {
				t.Errorf("row %d, cell %d: %+v, want %q", i, k, got, cell)
			}
		}
	}
}
