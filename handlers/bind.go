package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// bind reads the request's body into a struct, from JSON or from a form as the
// face has it. It checks shape only: types, names, encoding, size. Rules are
// the Store's.
//
// Fields are named by their json tags on both faces. Forms fill strings,
// integers and lists of either; everything else is for programs.
func (c *call) bind(into any) error {
	if c.api {
		return c.bindJSON(into)
	}
	return c.bindForm(into)
}

// checkAddress refuses an address that holds something else than text.
func checkAddress(address *url.URL) error {
	query, err := url.QueryUnescape(address.RawQuery)
	if err != nil {
		return badRequest("", "The address has a %% that is not followed by two hexadecimal digits.")
	}
	if text := address.Path + query; !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return badRequest("", "The address is not valid UTF-8, or holds a NUL character.")
	}
	return nil
}

func (c *call) bindJSON(into any) error {
	mediaType, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" && !strings.HasSuffix(mediaType, "+json") {
		return &httpError{http.StatusUnsupportedMediaType, "Send the body as application/json.", nil}
	}
	if c.Request.Header.Get("Content-Encoding") != "" {
		return &httpError{http.StatusUnsupportedMediaType, "Send the body without Content-Encoding.", nil}
	}
	body, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return bodyError(err)
	}
	if !utf8.Valid(body) {
		return badRequest("", "The body is not valid UTF-8.")
	}
	if err := checkJSON(body); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return wordJSON(err)
	}
	return nil
}

func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &httpError{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than the %d KiB that are read here. Send a shorter text.", tooLarge.Limit>>10), nil}
	}
	return badRequest("", "The body could not be read to its end. Send it again.")
}

// maxNesting bounds how deep JSON may nest; nothing here needs more than 3.
const maxNesting = 32

// checkJSON refuses what encoding/json would let through: a name given twice,
// deep nesting, a second value after the first.
func checkJSON(body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	type level struct {
		names   map[string]bool // nil in a list
		isValue bool            // the next token is the value of a name
	}
	var stack []level
	for first := true; first || len(stack) > 0; first = false {
		token, err := decoder.Token()
		if err != nil {
			return wordJSON(err)
		}
		if first && token == nil { // null would pass for an object without fields
			return badRequest("", "The body must be a JSON object, not null.")
		}
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		if n := len(stack); n > 0 && stack[n-1].names != nil {
			top := &stack[n-1]
			if !top.isValue {
				name := strings.ToLower(strings.ToUpper(token.(string))) // as encoding/json folds names
				if top.names[name] {
					return badRequest(token.(string), "is given twice")
				}
				top.names[name], top.isValue = true, true
				continue
			}
			top.isValue = false
		}
		if delim, ok := token.(json.Delim); ok {
			next := level{}
			if delim == '{' {
				next.names = map[string]bool{}
			}
			if stack = append(stack, next); len(stack) > maxNesting {
				return badRequest("", "The JSON nests deeper than %d levels.", maxNesting)
			}
		}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badRequest("", "Something follows the JSON value. Send one object only.")
	}
	return nil
}

// wordJSON says what is wrong with a JSON body.
func wordJSON(err error) error {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return badRequest("", "The body is empty. Send a JSON object.")
	case errors.As(err, &syntax):
		return badRequest("", "The body is not valid JSON: %s at byte %d.", syntax.Error(), syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest("", "The JSON ends too early.")
	case errors.As(err, &wrongType) && wrongType.Field == "":
		return badRequest("", "The body must be a JSON object, not a %s.", wrongType.Value)
	case errors.As(err, &wrongType):
		return badRequest(wrongType.Field, "must be %s, not %s", jsonType(wrongType.Type), wrongType.Value)
	}
	if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		return badRequest(strings.Trim(name, `"`), "is not a field of this request")
	}
	return badRequest("", "The JSON could not be read: %v.", err)
}

func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// form reads the body as a form, once.
func (c *call) form() (url.Values, error) {
	if c.Request.PostForm != nil {
		return c.Request.PostForm, nil
	}
	mediaType, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	switch {
	case err == nil && mediaType == "multipart/form-data":
		err = c.Request.ParseMultipartForm(1 << 20)
	case err == nil && mediaType == "application/x-www-form-urlencoded":
		err = c.Request.ParseForm()
	case c.Request.ContentLength == 0:
		c.Request.PostForm = url.Values{}
		err = nil
	default:
		return nil, &httpError{http.StatusUnsupportedMediaType, "Send the form as application/x-www-form-urlencoded.", nil}
	}
	if err != nil {
		return nil, bodyError(err)
	}
	return c.Request.PostForm, nil
}

func (c *call) bindForm(into any) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	target := reflect.ValueOf(into).Elem()
	for i := range target.NumField() {
		name, _, _ := strings.Cut(target.Type().Field(i).Tag.Get("json"), ",")
		values := form[name]
		if name == "" || name == "-" || len(values) == 0 {
			continue
		}
		if err := setField(target.Field(i), name, values); err != nil {
			return err
		}
	}
	return nil
}

func setField(field reflect.Value, name string, values []string) error {
	switch field.Kind() {
	case reflect.String:
		field.SetString(values[0])
	case reflect.Int, reflect.Int64:
		if values[0] == "" {
			return nil
		}
		n, err := strconv.ParseInt(values[0], 10, 64)
		if err != nil || field.OverflowInt(n) {
			return badRequest(name, "must be a whole number")
		}
		field.SetInt(n)
	case reflect.Pointer:
		value := reflect.New(field.Type().Elem())
		if err := setField(value.Elem(), name, values); err != nil {
			return err
		}
		field.Set(value)
	case reflect.Slice:
		out := reflect.MakeSlice(field.Type(), len(values), len(values))
		for i, v := range values {
			if err := setField(out.Index(i), name, []string{v}); err != nil {
				return err
			}
		}
		field.Set(out)
	default:
		return fmt.Errorf("form field %s has a type that forms do not fill", name)
	}
	return nil
}
