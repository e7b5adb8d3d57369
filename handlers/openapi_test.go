package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/net/html"

	"postil/markup"
	"postil/models"
	"postil/models/modelstest"
	"postil/templates"
)

// description is openapi.json as the tests use it.
type description struct {
	doc        object
	operations []operation
	schemas    map[string]*jsonschema.Schema // of components, closed: a field that is not described is an error
}

// operation is one method of one path.
type operation struct {
	id, method, path string // path below /api/v1
	at               *regexp.Regexp
	object           // what the description says of it
}

// theDescription reads openapi.json once.
var theDescription = sync.OnceValues(func() (*description, error) {
	d := &description{schemas: map[string]*jsonschema.Schema{}}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		return nil, err
	}
	d.doc = value.(object)
	paths := d.doc["paths"].(object)
	for _, path := range sortedKeys(paths) {
		for _, method := range sortedKeys(paths[path].(object)) {
			o := paths[path].(object)[method].(object)
			id, _ := o["operationId"].(string)
			at := regexp.MustCompile("^" + apiPrefix + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`) + "$")
			d.operations = append(d.operations, operation{id: id, method: strings.ToUpper(method), path: path, at: at, object: o})
		}
	}
	return d, d.compile()
})

// compile makes a closed schema of each component.
func (d *description) compile() error {
	copied, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		return err
	}
	schemas := copied.(object)["components"].(object)["schemas"].(object)
	for name := range schemas {
		closed := d.flat(name)
		closed["additionalProperties"] = false
		schemas[name] = closed
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource("postil:openapi.json", copied); err != nil {
		return err
	}
	for name := range schemas {
		if d.schemas[name], err = compiler.Compile("postil:openapi.json#/components/schemas/" + name); err != nil {
			return err
		}
	}
	return nil
}

// flat is a schema with what it takes over by allOf put in.
func (d *description) flat(name string) object {
	schema := maps.Clone(d.component("schemas", name))
	parts, composed := schema["allOf"].([]any)
	if !composed {
		return schema
	}
	properties, required := object{}, []any{}
	for _, part := range parts {
		p := part.(object)
		if ref, ok := p["$ref"].(string); ok {
			p = d.flat(lastPart(ref))
		}
		maps.Copy(properties, p["properties"].(object))
		more, _ := p["required"].([]any)
		required = append(required, more...)
	}
	delete(schema, "allOf")
	schema["type"], schema["properties"], schema["required"] = "object", properties, required
	return schema
}

func (d *description) component(kind, name string) object {
	o, _ := d.doc["components"].(object)[kind].(object)[name].(object)
	return o
}

// resolve follows a $ref, if there is one.
func (d *description) resolve(value any) object {
	o := value.(object)
	if ref, ok := o["$ref"].(string); ok {
		parts := strings.Split(ref, "/")
		return d.component(parts[2], parts[3])
	}
	return o
}

// parameters are the parameters of an operation, by name.
func (d *description) parameters(op operation) map[string]object {
	list, _ := op.object["parameters"].([]any)
	byName := map[string]object{}
	for _, p := range list {
		o := d.resolve(p)
		byName[o["name"].(string)] = o
	}
	return byName
}

// example is the example of an operation's body; nil if it has no body.
func (op operation) example() any {
	body, ok := op.object["requestBody"].(object)
	if !ok {
		return nil
	}
	return body["content"].(object)["application/json"].(object)["example"]
}

// documents tells whether an operation may answer with a status.
func (op operation) documents(status int) bool {
	_, ok := op.object["responses"].(object)[strconv.Itoa(status)]
	return ok
}

func describe(t *testing.T) *description {
	t.Helper()
	d, err := theDescription()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *description) find(t *testing.T, id string) operation {
	t.Helper()
	for _, op := range d.operations {
		if op.id == id {
			return op
		}
	}
	t.Fatalf("there is no operation %s", id)
	return operation{}
}

func TestRoutesAndDescriptionAgree(t *testing.T) {
	d := describe(t)
	described := map[string]operation{}
	for _, op := range d.operations {
		described[op.method+" "+op.path] = op
	}
	_, api := (&Handlers{Config: Config{Rates: DefaultRates}}).table()
	for _, r := range api {
		name := r.method + " " + regexp.MustCompile(`:(\w+)`).ReplaceAllString(r.path, "{$1}")
		op, ok := described[name]
		if !ok {
			t.Errorf("%s is on the router and not in the description", name)
			continue
		}
		delete(described, name)
		if r.rate.Burst > 0 && !op.documents(http.StatusTooManyRequests) {
			t.Errorf("%s is limited and does not say so", name)
		}
		if op.example() != nil && r.size == 0 {
			t.Errorf("%s has a body that is not read", name)
		}
	}
	for name := range described {
		t.Errorf("%s is in the description and not on the router", name)
	}
}

// What every operation may answer with follows from how it is built.
func TestOperationsListTheStatusesTheyShare(t *testing.T) {
	for _, op := range describe(t).operations {
		want := []int{400, 401, 500}
		if op.method != "GET" {
			want = append(want, 403, 503)
		}
		if op.example() != nil {
			want = append(want, 413, 415)
		}
		parameters := describe(t).parameters(op)
		for name, p := range parameters {
			if p["in"] == "path" {
				want = append(want, 404)
			}
			if name == "cursor" {
				want = append(want, 422)
			}
		}
		for _, status := range want {
			if !op.documents(status) {
				t.Errorf("%s does not document %d", op.id, status)
			}
		}
	}
}

func TestDescriptionIsSound(t *testing.T) {
	d := describe(t)
	used := map[string]bool{}
	var walk func(at string, value any)
	walk = func(at string, value any) {
		switch v := value.(type) {
		case object:
			if ref, ok := v["$ref"].(string); ok {
				used[ref] = true
				parts := strings.Split(ref, "/")
				if len(parts) != 4 || parts[0] != "#" || parts[1] != "components" || d.component(parts[2], parts[3]) == nil {
					t.Errorf("%s refers to %s, which is not there", at, ref)
				}
			}
			if text, ok := v["description"].(string); ok {
				checkSentence(t, at, text)
			}
			for name, part := range v {
				walk(at+"/"+name, part)
			}
		case []any:
			for i, part := range v {
				walk(at+"/"+strconv.Itoa(i), part)
			}
		}
	}
	walk("#", d.doc)
	for kind, components := range d.doc["components"].(object) {
		if kind == "securitySchemes" {
			continue
		}
		for name := range components.(object) {
			if ref := "#/components/" + kind + "/" + name; !used[ref] {
				t.Errorf("nothing refers to %s", ref)
			}
		}
	}
	if d.doc["openapi"] != "3.1.0" || len(d.doc["servers"].([]any)) != 1 || d.doc["servers"].([]any)[0].(object)["url"] != apiPrefix {
		t.Errorf("openapi %v, servers %v", d.doc["openapi"], d.doc["servers"])
	}
}

// checkSentence wants descriptions that read as sentences and hold no markup,
// since the page shows them as they are.
func checkSentence(t *testing.T, at, text string) {
	t.Helper()
	if at == "#/info" {
		return
	}
	if text == "" || strings.ContainsAny(text, "`<>|") || !strings.HasSuffix(text, ".") || strings.TrimSpace(text) != text {
		t.Errorf("%s: description %q", at, text)
	}
}

func TestOperationsAreDescribedInFull(t *testing.T) {
	d := describe(t)
	tags, seen := map[string]bool{}, map[string]bool{}
	for _, tag := range d.doc["tags"].([]any) {
		tags[tag.(object)["name"].(string)] = false
	}
	for _, op := range d.operations {
		if !regexp.MustCompile(`^[a-z][A-Za-z]+$`).MatchString(op.id) || seen[op.id] {
			t.Errorf("%s %s: operationId %q is used twice or no name", op.method, op.path, op.id)
		}
		seen[op.id] = true
		if s, _ := op.object["summary"].(string); s == "" || strings.HasSuffix(s, ".") {
			t.Errorf("%s: summary %q", op.id, s)
		}
		if s, _ := op.object["description"].(string); s == "" {
			t.Errorf("%s has no description", op.id)
		}
		for _, tag := range op.object["tags"].([]any) {
			if _, ok := tags[tag.(string)]; !ok {
				t.Errorf("%s: the tag %s is not declared", op.id, tag)
			}
			tags[tag.(string)] = true
		}
		if security, ok := op.object["security"].([]any); !ok || len(security) < 2 {
			t.Errorf("%s does not say who may", op.id)
		}
		inPath := 0
		for name, p := range d.parameters(op) {
			if p["schema"] == nil || p["description"] == nil {
				t.Errorf("%s: parameter %s lacks a schema or a description", op.id, name)
			}
			if p["in"] == "path" {
				inPath++
				if p["required"] != true || !strings.Contains(op.path, "{"+name+"}") {
					t.Errorf("%s: the path has no {%s}, or it is not required", op.id, name)
				}
			}
		}
		if inPath != strings.Count(op.path, "{") {
			t.Errorf("%s: %s has parameters that are not described", op.id, op.path)
		}
		good := 0
		for status, value := range op.object["responses"].(object) {
			response := d.resolve(value)
			for mediaType := range contentOf(response) {
				if isProblem := mediaType == "application/problem+json"; isProblem != (status >= "400") {
					t.Errorf("%s: %s is %s", op.id, status, mediaType)
				}
			}
			if status < "300" {
				good++
			}
		}
		if good != 1 {
			t.Errorf("%s has %d ways to succeed", op.id, good)
		}
	}
	for tag, isUsed := range tags {
		if !isUsed {
			t.Errorf("the tag %s is not used", tag)
		}
	}
}

func contentOf(response object) object {
	content, _ := response["content"].(object)
	return content
}

func TestRequestBodiesAreClosedAndTheirExamplesValid(t *testing.T) {
	d := describe(t)
	for _, op := range d.operations {
		if op.object["requestBody"] == nil {
			continue
		}
		media := op.object["requestBody"].(object)["content"].(object)["application/json"].(object)
		name := lastPart(media["schema"].(object)["$ref"].(string))
		if d.component("schemas", name)["additionalProperties"] != false {
			t.Errorf("%s: %s does not say that other fields are refused", op.id, name)
		}
		if err := d.schemas[name].Validate(op.example()); err != nil {
			t.Errorf("%s: its example: %v", op.id, err)
		}
	}
}

// The views that leave the program and the schemas have the same fields, and
// what is always there is required.
func TestSchemasMatchTheViews(t *testing.T) {
	d := describe(t)
	listOf := templates.List[int]{}
	texts, conflict := []string{"body", "html", "headings"}, []string{"current", "yours"}
	for name, view := range map[string]struct {
		value   any
		without []string
	}{
		"User": {templates.User{}, nil}, "Profile": {templates.Profile{}, nil}, "Me": {templates.Me{}, nil}, "Signed": {templates.Signed{}, nil},
		"Session": {templates.Session{}, nil}, "Article": {templates.Article{}, nil}, "ArticleSummary": {templates.Article{}, texts},
		"Heading": {templates.Heading{}, nil}, "Revision": {templates.Revision{}, nil}, "RevisionSummary": {templates.Revision{}, texts},
		"Comment": {templates.Comment{}, nil}, "Branch": {discussionItem{}, nil}, "Version": {templates.Version{}, nil}, "Report": {templates.Report{}, nil},
		"QueueItem": {templates.QueueItem{}, nil}, "Standing": {templates.Standing{}, nil}, "Decision": {templates.Decision{}, nil},
		"DecisionItem": {templates.DecisionItem{}, nil}, "StaleProblem": {templates.Problem{}, nil}, "Problem": {templates.Problem{}, conflict},
		"FieldProblem": {templates.FieldProblem{}, nil}, "Draft": {templates.Draft{}, nil},
		"SessionList": {listOf, nil}, "ArticleList": {listOf, nil}, "RevisionList": {listOf, nil}, "CommentList": {listOf, nil}, "BranchList": {listOf, nil},
		"VersionList": {listOf, nil}, "QueueList": {listOf, nil}, "DecisionList": {listOf, nil},
	} {
		schema := d.flat(name)
		properties, required := schema["properties"].(object), fmt.Sprint(schema["required"])
		fields := jsonFields(reflect.TypeOf(view.value))
		for field, always := range fields {
			if slices.Contains(view.without, field) {
				continue
			}
			if properties[field] == nil {
				t.Errorf("%s has no %s", name, field)
			}
			if always && !regexp.MustCompile(`\b`+field+`\b`).MatchString(required) {
				t.Errorf("%s.%s is always there and not required", name, field)
			}
		}
		for field := range properties {
			if _, ok := fields[field]; !ok {
				t.Errorf("%s.%s is not in the view", name, field)
			}
		}
	}
}

// jsonFields are the JSON names of a struct's fields, and whether they are
// always there.
func jsonFields(t reflect.Type) map[string]bool {
	fields := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			maps.Copy(fields, jsonFields(f.Type))
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = !strings.Contains(options, "omitempty")
	}
	return fields
}

// What the description says about limits and choices is what the store keeps to.
func TestLimitsAndChoicesAreTheStores(t *testing.T) {
	d := describe(t)
	for path, want := range map[string]any{
		"Registration.username.maxLength":      models.MaxUsername,
		"Registration.email.maxLength":         models.MaxEmail,
		"Registration.password.minLength":      minPassword,
		"ProfileChange.display_name.maxLength": models.MaxDisplayName,
		"ProfileChange.bio.maxLength":          models.MaxBio,
		"ProfileChange.new_password.minLength": minPassword,
		"NewArticle.title.maxLength":           models.MaxTitle,
		"NewArticle.standfirst.maxLength":      models.MaxStandfirst,
		"NewArticle.body.maxLength":            markup.MaxArticleRunes,
		"NewArticle.slug.maxLength":            models.MaxSlug,
		"NewArticle.message.maxLength":         models.MaxMessage,
		"NewArticle.tags.maxItems":             models.MaxTags,
		"NewArticle.tags.items.maxLength":      models.MaxTag,
		"ArticleChange.title.maxLength":        models.MaxTitle,
		"ArticleChange.body.maxLength":         markup.MaxArticleRunes,
		"NewComment.body.maxLength":            markup.MaxCommentRunes,
		"CommentChange.body.maxLength":         markup.MaxCommentRunes,
		"NewReport.note.maxLength":             models.MaxNote,
		"NewDecision.comment_ids.maxItems":     models.MaxBulk,
		"NewDecision.reason.maxLength":         models.MaxReason,
		"User.role.enum":                       models.Roles,
		"NewArticle.state.enum":                []models.ArticleState{models.Draft, models.Published, models.Scheduled, models.Archived},
		"NewArticle.comment_policy.enum":       []models.CommentPolicy{models.PolicyOpen, models.PolicyPremoderated, models.PolicyFirstComment, models.PolicyClosed},
		"NewDecision.decision.enum":            []models.DecisionKind{models.Approve, models.Reject, models.MarkSpam},
		"DecisionItem.before.enum":             []models.CommentState{models.Pending, models.Approved, models.Rejected, models.Spam, models.DeletedComment},
	} {
		schema, rest, _ := strings.Cut(path, ".")
		got, _ := lookUp(d.flat(schema)["properties"], rest)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v; the store has %v", path, got, want)
		}
	}
	for id, want := range map[string]string{"listQueue state": fmt.Sprint(models.QueueStates), "listComments sort": fmt.Sprint(models.Sorts)} {
		id, name, _ := strings.Cut(id, " ")
		schema := d.parameters(d.find(t, id))[name]["schema"].(object)
		if fmt.Sprint(schema["enum"]) != want || schema["default"] != strings.Trim(strings.Fields(want)[0], "[") {
			t.Errorf("%s: %s is %v; the store has %s", id, name, schema, want)
		}
	}
	limit := d.component("parameters", "Limit")
	if text := fmt.Sprint(limit["schema"], limit["description"]); !strings.Contains(text, strconv.Itoa(models.DefaultPage)) || !strings.Contains(text, strconv.Itoa(models.MaxPage)) {
		t.Errorf("limit is %v", limit)
	}
	for _, reason := range models.ReportReasons {
		if text, _ := lookUp(d.component("schemas", "NewReport"), "properties.reason.description"); !strings.Contains(text.(string), reason[0]) {
			t.Errorf("the reason %s is not described", reason[0])
		}
	}
}

// Whoever copies an example gets what it promises.
func TestRequestExamplesAreAccepted(t *testing.T) {
	s := newServer(t)
	d := describe(t)
	check := newChecker(t)
	s.observe = check.observe
	author, reader, other, moderator := s.user(models.Author), s.user(models.Reader), s.user(models.Reader), s.user(models.Moderator)
	var mira *client
	left := map[string]bool{}
	for _, op := range d.operations {
		if op.example() != nil {
			left[op.id] = true
		}
	}
	try := func(id string, by *client, path string) *response {
		t.Helper()
		op := d.find(t, id)
		delete(left, id)
		for status := range op.object["responses"].(object) {
			if status < "300" {
				want, _ := strconv.Atoi(status)
				return by.do(op.method, apiPrefix+path, op.example()).is(want)
			}
		}
		return nil
	}
	try("register", s.anyone(), "/users")
	try("signIn", s.anyone(), "/sessions")
	mira = s.anyone().signInAs("mira")
	try("changeMe", mira, "/me")
	try("createArticle", author, "/articles")
	try("changeArticle", author.with("If-Match", `"1"`), "/articles/on-margins")
	first := try("createComment", reader, "/articles/on-margins/comments")
	try("changeComment", reader, "/comments/1")
	try("createComment", other, "/articles/on-margins/comments")
	try("decide", moderator, "/moderation/decisions").has(`"comment_ids":[1,2]`)
	moderator.post(apiPrefix+"/moderation/decisions/1/undo", nil).is(http.StatusCreated)
	moderator.post(apiPrefix+"/moderation/decisions", object{"comment_ids": []any{first.at("id")}, "decision": "approve"}).is(http.StatusCreated)
	try("vote", mira, "/comments/1/vote")
	try("reportComment", mira, "/comments/1/reports")
	// A refresh token cannot be known beforehand; its example shows the shape.
	example := d.find(t, "refreshSession").example().(object)
	delete(left, "refreshSession")
	if shape := regexp.MustCompile(`\w`); shape.ReplaceAllString(example["refresh_token"].(string)[3:], "x") != shape.ReplaceAllString(strings.ReplaceAll(mira.signed.RefreshToken[3:], "-", "_"), "x") {
		t.Errorf("a refresh token looks like %s, not like the example", mira.signed.RefreshToken)
	}
	s.anyone().post(apiPrefix+"/sessions/refresh", object{"refresh_token": mira.signed.RefreshToken}).is(http.StatusOK)
	for id := range left {
		t.Errorf("the example of %s was not tried", id)
	}
	if modelstest.Password != d.find(t, "register").example().(object)["password"] {
		t.Error("the password of the examples is not the one that the test signs in with")
	}
}

func TestDocsPageShowsEveryOperationAndAsksNobodyElse(t *testing.T) {
	s := newServer(t)
	d := describe(t)
	for _, by := range []*client{s.visitor(), s.browser(models.Moderator)} {
		page := by.get("/api/v1/docs").is(http.StatusOK)
		if page.header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.HasPrefix(page.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("headers %v", page.header)
		}
		for _, op := range d.operations {
			page.has(`id="`+op.id+`"`, `<span class="method">`+op.method+`</span> `+apiPrefix+op.path+`<`, html.EscapeString(op.object["summary"].(string)))
		}
		for _, tag := range d.doc["tags"].([]any) {
			page.has(">" + tag.(object)["name"].(string) + "<")
		}
		for _, topic := range []string{"signing-in", "errors", "lists", "saving-over-others", "limits"} {
			page.has(`id="` + topic + `"`)
		}
		page.hasNot("## ")
		root, err := html.Parse(bytes.NewReader(page.body))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			for _, a := range n.Attr {
				if slices.Contains([]string{"src", "href", "action", "srcset", "poster", "data", "formaction", "ping"}, a.Key) && !regexp.MustCompile(`^(/[^/]|/$|#)`).MatchString(a.Val) {
					t.Errorf("<%s %s=%q> leads away", n.Data, a.Key, a.Val)
				}
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("<%s> has %s", n.Data, a.Key)
				}
			}
		}
	}
}

// The documents' readers find examples in a shape that can be copied.
func TestDocsPageExamplesAreWholeJSON(t *testing.T) {
	page, err := describeAPI(openAPI, "test")
	if err != nil {
		t.Fatal(err)
	}
	operations := 0
	for _, group := range page.Groups {
		if len(group.Operations) == 0 {
			t.Errorf("the chapter %s is empty", group.Name)
		}
		for _, op := range group.Operations {
			if op.Method == "" {
				if op.Path == "" || op.Summary == "" || strings.Contains(op.Description, "#") {
					t.Errorf("the introduction has %+v", op)
				}
				continue
			}
			operations++
			if (op.Example == "") != (len(op.Body) == 0) || op.Example != "" && !json.Valid([]byte(op.Example)) {
				t.Errorf("%s: example %q for %d fields", op.Anchor, op.Example, len(op.Body))
			}
			if strings.Contains(op.Example, "\n      ") {
				t.Errorf("%s: the example is indented as in the file: %s", op.Anchor, op.Example)
			}
			for _, f := range slices.Concat(op.Params, op.Body, op.Responses) {
				if f.Name == "" || f.Text == "" {
					t.Errorf("%s: field %+v", op.Anchor, f)
				}
			}
		}
	}
	if want := len(describe(t).operations); operations != want {
		t.Errorf("the page has %d operations, the description %d", operations, want)
	}
}

// checker holds answers against the description and remembers what it has seen.
type checker struct {
	d    *description
	mu   sync.Mutex
	seen map[string]bool // "operation status"
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	return &checker{d: describe(t), seen: map[string]bool{}}
}

// tracked are the headers that an answer may have only if they are described.
var tracked = []string{"ETag", "Location", "Retry-After", "WWW-Authenticate"}

// observe checks one answer.
func (k *checker) observe(req *http.Request, res *response) {
	t := res.t
	t.Helper()
	if !strings.HasPrefix(req.URL.Path, apiPrefix+"/") || req.URL.Path == apiPrefix+"/docs" {
		return
	}
	if res.header.Get("X-Request-Id") == "" || res.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s: headers %v", res.what, res.header)
	}
	method := req.Method
	if method == "HEAD" {
		method = "GET"
	}
	at := slices.IndexFunc(k.d.operations, func(op operation) bool { return op.method == method && op.at.MatchString(req.URL.EscapedPath()) })
	if at < 0 {
		if res.status != http.StatusNotFound && res.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d at an address that is not described", res.what, res.status)
		}
		k.body(res, "Problem")
		return
	}
	op := k.d.operations[at]
	described, ok := op.object["responses"].(object)[strconv.Itoa(res.status)]
	if !ok {
		t.Errorf("%s: %s does not document %d: %s", res.what, op.id, res.status, shortened(res.body))
		return
	}
	k.mu.Lock()
	k.seen[op.id+" "+strconv.Itoa(res.status)] = true
	k.mu.Unlock()
	response := k.d.resolve(described)
	k.headers(res, response)
	if req.Method == "HEAD" {
		return // the recorder keeps the body that the network does not carry
	}
	content := contentOf(response)
	if len(content) == 0 {
		if len(res.body) > 0 || res.header.Get("Content-Type") != "" {
			t.Errorf("%s: %d has a body: %s", res.what, res.status, shortened(res.body))
		}
		return
	}
	mediaType, _, _ := mime.ParseMediaType(res.header.Get("Content-Type"))
	media, ok := content[mediaType].(object)
	if !ok {
		t.Errorf("%s: %d is %q", res.what, res.status, mediaType)
		return
	}
	if ref, ok := media["schema"].(object)["$ref"].(string); ok {
		k.body(res, lastPart(ref))
	}
}

func (k *checker) headers(res *response, response object) {
	res.t.Helper()
	described, _ := response["headers"].(object)
	for name := range described {
		value := res.header.Get(name)
		header := k.d.resolve(described[name])
		if value == "" && header["required"] == nil {
			continue
		}
		schema := header["schema"].(object)
		pattern, _ := schema["pattern"].(string)
		number, err := strconv.Atoi(value)
		if value == "" || pattern != "" && !regexp.MustCompile(pattern).MatchString(value) || schema["type"] == "integer" && (err != nil || number < 1) {
			res.t.Errorf("%s: %d with %s %q", res.what, res.status, name, value)
		}
	}
	for _, name := range tracked {
		if res.header.Get(name) != "" && described[name] == nil {
			res.t.Errorf("%s: %d has %s, which is not described", res.what, res.status, name)
		}
	}
}

func (k *checker) body(res *response, schema string) {
	res.t.Helper()
	if strings.HasPrefix(res.what, "HEAD ") {
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(res.body))
	if err == nil {
		err = k.d.schemas[schema].Validate(value)
	}
	if err != nil {
		res.t.Errorf("%s: %d is no %s: %v\n%s", res.what, res.status, schema, err, shortened(res.body))
	}
}

// neverSeen are statuses that the scenarios do not bring about, and why.
var neverSeen = map[string]string{
	"restoreRevision 422": "only an imported text that today’s rules refuse",
}

// coverage fails the test for what is described and was never seen.
func (k *checker) coverage(t *testing.T) {
	t.Helper()
	total, seen := 0, 0
	for _, op := range k.d.operations {
		for status := range op.object["responses"].(object) {
			total++
			name := op.id + " " + status
			_, excused := neverSeen[name]
			switch {
			case k.seen[name]:
				seen++
				if excused {
					t.Errorf("%s was seen; it needs no excuse", name)
				}
			case !excused:
				t.Errorf("%s is described and was never seen", name)
			}
		}
	}
	t.Logf("%d of %d described answers of %d operations were seen", seen, total, len(k.d.operations))
}
