package frame

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/reports"
)

// xlsxFormat is a workbook of one sheet: the rows of CSV, numbers as numbers.
const xlsxFormat reports.Format = "xlsx"

// xlsxParts are the parts of a workbook besides its sheet, as ECMA-376 part 1, section 12 wants them
// at least. A library for them (excelize) would add 8 MB to the program.
var xlsxParts = []struct{ name, text string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="deepnarrow" sheetId="1" r:id="rId1"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
}

// WriteXLSX writes the rows of a report as a workbook. A text is a text: none is a formula.
func WriteXLSX(w io.Writer, r *reports.Report) error {
	var text bytes.Buffer
	if err := r.Write(&text, reports.CSVFormat, reports.View{}); err != nil {
		return err
	}
	rows, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		return err
	}
	var sheet strings.Builder
	sheet.WriteString(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	for i, row := range rows {
		sheet.WriteString("<row>")
		for _, cell := range row {
			v, err := strconv.ParseFloat(cell, 64)
			switch number := err == nil && i > 0 && !math.IsNaN(v) && !math.IsInf(v, 0); {
			case cell == "":
				sheet.WriteString("<c/>")
			case number:
				fmt.Fprintf(&sheet, "<c><v>%s</v></c>", strconv.FormatFloat(v, 'g', -1, 64))
			default:
				sheet.WriteString(`<c t="inlineStr"><is><t xml:space="preserve">`)
				if err := xml.EscapeText(&sheet, []byte(cell)); err != nil {
					return err
				}
				sheet.WriteString("</t></is></c>")
			}
		}
		sheet.WriteString("</row>")
	}
	sheet.WriteString("</sheetData></worksheet>")
	book := zip.NewWriter(w)
	for _, part := range append(xlsxParts[:len(xlsxParts):len(xlsxParts)],
		struct{ name, text string }{"xl/worksheets/sheet1.xml", sheet.String()}) {
		f, err := book.Create(part.name) // no time: equal results give equal bytes
		if err != nil {
			return err
		}
		if _, err := io.WriteString(f, xml.Header+part.text); err != nil {
			return err
		}
	}
	return book.Close()
}
