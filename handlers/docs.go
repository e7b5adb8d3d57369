package handlers

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"postil/templates"
)

// openAPI describes the API (OpenAPI 3.1). The tests hold it against the routes
// and the answers.
//
//go:embed openapi.json
var openAPI []byte

func (h *Handlers) openAPI(c *call) error {
	c.Writer.Header().Set("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/json; charset=utf-8", openAPI)
	return nil
}

func (h *Handlers) docsPage(c *call) error {
	base, err := c.basePage("The API")
	if err != nil {
		return err
	}
	page := h.docs
	page.Page = base
	return c.page(http.StatusOK, page)
}

// The parts of an OpenAPI document that the readable page shows.
type (
	apiDocument struct {
		Info       struct{ Title, Description string }
		Servers    []struct{ URL string }
		Tags       []struct{ Name, Description string }
		Paths      map[string]map[string]apiOperation
		Components struct {
			Schemas    map[string]apiSchema
			Parameters map[string]apiParameter
			Responses  map[string]apiResponse
		}
	}
	apiOperation struct {
		Tags        []string
		Summary     string
		Description string
		OperationID string
		Parameters  []apiParameter
		RequestBody struct {
			Content map[string]struct {
				Schema  apiSchema
				Example json.RawMessage
			}
		}
		Responses map[string]apiResponse
		Security  []map[string][]string
	}
	apiParameter struct {
		Ref         string `json:"$ref"`
		Name        string
		In          string
		Description string
		Required    bool
		Schema      apiSchema
	}
	apiResponse struct {
		Ref         string `json:"$ref"`
		Description string
	}
	apiSchema struct {
		Ref         string `json:"$ref"`
		Type        any
		Description string
		Enum        []any
		Properties  map[string]apiSchema
		Required    []string
		Items       *apiSchema
	}
)

// describeAPI makes the readable page of an OpenAPI document.
func describeAPI(document []byte, version string) (templates.DocsPage, error) {
	var doc apiDocument
	if err := json.Unmarshal(document, &doc); err != nil {
		return templates.DocsPage{}, fmt.Errorf("read openapi.json: %w", err)
	}
	base := ""
	if len(doc.Servers) > 0 {
		base = doc.Servers[0].URL // paths are below it
	}
	page := templates.DocsPage{Version: version}
	var howTo templates.DocsGroup
	page.Intro, howTo = introduction(doc.Info.Description)
	if len(howTo.Operations) > 0 {
		page.Groups = append(page.Groups, howTo)
	}
	for _, tag := range doc.Tags {
		group := templates.DocsGroup{Name: tag.Name}
		for _, path := range sortedKeys(doc.Paths) {
			for _, method := range []string{"get", "post", "put", "patch", "delete"} {
				if op, ok := doc.Paths[path][method]; ok && slices.Contains(op.Tags, tag.Name) {
					group.Operations = append(group.Operations, doc.operation(method, base+path, op))
				}
			}
		}
		page.Groups = append(page.Groups, group)
	}
	return page, nil
}

// introduction cuts the description of the whole at its headings: what comes
// before them introduces the page, and each part below one is an entry of the
// first chapter, led by its first sentence.
func introduction(text string) (string, templates.DocsGroup) {
	parts := strings.Split(text, "\n## ")
	group := templates.DocsGroup{Name: "How it works"}
	for _, part := range parts[1:] {
		name, body, _ := strings.Cut(part, "\n")
		lead, rest, more := strings.Cut(strings.Join(strings.Fields(body), " "), ". ")
		if more {
			lead += "."
		}
		group.Operations = append(group.Operations, templates.DocsOperation{Path: name, Summary: lead, Description: rest,
			Anchor: strings.ReplaceAll(strings.ToLower(name), " ", "-")})
	}
	return strings.TrimSpace(parts[0]), group
}

func (d *apiDocument) operation(method, path string, op apiOperation) templates.DocsOperation {
	out := templates.DocsOperation{Method: strings.ToUpper(method), Path: path, Summary: op.Summary, Description: op.Description, Anchor: op.OperationID, Auth: "anybody"}
	if len(op.Security) > 0 && len(op.Security[0]) > 0 {
		out.Auth = "signed in"
	}
	for _, p := range op.Parameters {
		if p.Ref != "" {
			p = d.Components.Parameters[lastPart(p.Ref)]
		}
		out.Params = append(out.Params, templates.DocsField{Name: p.Name, Type: p.In + ", " + p.Schema.describe(), Text: p.Description, Required: p.Required})
	}
	if content, ok := op.RequestBody.Content["application/json"]; ok {
		schema := content.Schema
		if schema.Ref != "" {
			schema = d.Components.Schemas[lastPart(schema.Ref)]
		}
		for _, name := range sortedKeys(schema.Properties) {
			p := schema.Properties[name]
			out.Body = append(out.Body, templates.DocsField{Name: name, Type: p.describe(), Text: p.Description, Required: slices.Contains(schema.Required, name)})
		}
		var example bytes.Buffer
		if json.Indent(&example, content.Example, "", "  ") == nil {
			out.Example = example.String()
		}
	}
	for _, status := range sortedKeys(op.Responses) {
		r := op.Responses[status]
		if r.Ref != "" {
			r = d.Components.Responses[lastPart(r.Ref)]
		}
		out.Responses = append(out.Responses, templates.DocsField{Name: status, Text: r.Description})
	}
	return out
}

// describe names a schema's type in words.
func (s apiSchema) describe() string {
	text := ""
	switch t := s.Type.(type) {
	case string:
		text = t
	case []any:
		var names []string
		for _, n := range t {
			names = append(names, fmt.Sprint(n))
		}
		text = strings.Join(names, " or ")
	}
	if s.Ref != "" {
		text = lastPart(s.Ref)
	}
	if s.Items != nil {
		text += " of " + s.Items.describe()
	}
	if len(s.Enum) > 0 {
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprint(v))
		}
		text += ": " + strings.Join(values, ", ")
	}
	return text
}

func lastPart(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
