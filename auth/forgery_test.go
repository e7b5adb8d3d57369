package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A forge makes tokens with any header and payload, signed with a real key:
// what remains is for the checks behind the signature to refuse.
type forge struct{ signer key }

func (f forge) sign(header, payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(header)) + "." + encode([]byte(payload))
	h := hmac.New(sha256.New, f.signer.access)
	h.Write([]byte(text))
	return text + "." + encode(h.Sum(nil))
}

// TestParseRefusesForgeries is the reason for most of access.go. Each forgery
// must give ErrToken, and none may be called expired.
func TestParseRefusesForgeries(t *testing.T) {
	tokens := testTokens(t)
	genuine := issue(t, tokens)
	f := forge{tokens.Keys.list[0]}
	header := fmt.Sprintf(`{"alg":"HS256","kid":%q,"typ":"at+jwt"}`, f.signer.id)
	exp, iat := testNow.Add(time.Minute).Unix(), testNow.Unix()
	payload := fmt.Sprintf(`{"iss":"https://example.org","sub":"42","aud":["api"],"exp":%d,"iat":%d,"jti":"j","sid":"s1","ver":3}`, exp, iat)
	if _, err := tokens.Parse(f.sign(header, payload), testNow); err != nil {
		t.Fatalf("the forge cannot make a genuine token: %v", err)
	}

	forgeries := make(map[string]string)
	for name, change := range headerForgeries(f.signer.id) {
		forgeries["header: "+name] = f.sign(swap(t, header, change), payload)
	}
	for name, change := range payloadForgeries(exp, iat) {
		forgeries["payload: "+name] = f.sign(header, swap(t, payload, change))
	}
	for name, token := range shapeForgeries(genuine) {
		forgeries["shape: "+name] = token
	}
	for name, token := range keyForgeries(t, tokens, header, payload) {
		forgeries["key: "+name] = token
	}
	for name, token := range forgeries {
		t.Run(name, func(t *testing.T) {
			claims, err := tokens.Parse(token, testNow)
			if !errors.Is(err, ErrToken) || errors.Is(err, ErrExpired) {
				t.Errorf("got %+v, %v; want ErrToken for %.300s", claims, err, token)
			}
			if claims != (Claims{}) {
				t.Errorf("claims came with the error: %+v", claims)
			}
		})
	}
	t.Logf("%d forgeries", len(forgeries))
}

// swap replaces change[0] in text by change[1]. An empty change[0] replaces all.
func swap(t *testing.T, text string, change [2]string) string {
	t.Helper()
	if change[0] == "" {
		return change[1]
	}
	if strings.Count(text, change[0]) != 1 {
		t.Fatalf("%q is not once in %q", change[0], text)
	}
	return strings.Replace(text, change[0], change[1], 1)
}

func headerForgeries(id string) map[string][2]string {
	alg, kid, typ := `"alg":"HS256"`, fmt.Sprintf(`"kid":%q`, id), `"typ":"at+jwt"`
	forgeries := map[string][2]string{
		"alg missing":       {alg + ",", ""},
		"alg null":          {alg, `"alg":null`},
		"alg number":        {alg, `"alg":256`},
		"alg list":          {alg, `"alg":["HS256"]`},
		"alg twice":         {alg, `"alg":"none","alg":"HS256"`},
		"alg twice, turned": {alg, `"alg":"HS256","alg":"none"`},
		"alg in capitals":   {alg, `"ALG":"HS256"`},
		"alg escaped":       {alg, `"\u0061lg":"HS256"`},
		"kid missing":       {kid + ",", ""},
		"kid null":          {kid, `"kid":null`},
		"kid number":        {kid, `"kid":0`},
		"kid list":          {kid, fmt.Sprintf(`"kid":[%q]`, id)},
		"kid twice":         {kid, `"kid":"x",` + kid},
		"typ missing":       {"," + typ, ""},
		"typ JWT":           {typ, `"typ":"JWT"`},
		"typ capitals":      {typ, `"typ":"AT+JWT"`},
		"typ long":          {typ, `"typ":"application/at+jwt"`},
		"typ null":          {typ, `"typ":null`},
		"typ twice":         {typ, `"typ":"JWT",` + typ},
		"jwk":               {typ, typ + `,"jwk":{"kty":"oct","k":"AAAA"}`},
		"jku":               {typ, typ + `,"jku":"https://evil.example/keys"`},
		"x5u":               {typ, typ + `,"x5u":"https://evil.example/cert"`},
		"x5c":               {typ, typ + `,"x5c":["AAAA"]`},
		"x5t":               {typ, typ + `,"x5t":"AAAA"`},
		"crit empty":        {typ, typ + `,"crit":[]`},
		"crit unknown":      {typ, typ + `,"crit":["exp2"],"exp2":1`},
		"crit b64":          {typ, typ + `,"crit":["b64"],"b64":false`},
		"cty":               {typ, typ + `,"cty":"JWT"`},
		"zip":               {typ, typ + `,"zip":"DEF"`},
		"enc":               {typ, typ + `,"enc":"A128GCM"`},
		"unknown":           {typ, typ + `,"x":1`},
		"blank":             {alg + ",", alg + ", "},
		"trailing blank":    {"}", "} "},
		"trailing brace":    {"}", "}}"},
		"other order":       {"", fmt.Sprintf(`{%s,%s,%s}`, typ, kid, alg)},
		"null":              {"", "null"},
		"list":              {"", "[]"},
		"text":              {"", `"HS256"`},
		"empty object":      {"", "{}"},
		"empty":             {"", ""},
		"no JSON":           {"", "alg=HS256"},
		"deep":              {"", strings.Repeat("[", 1000)},
		"NUL":               {"}", "}\x00"},
		"byte order mark":   {"{", "\ufeff{"},
	}
	for _, name := range []string{
		"none", "None", "NONE", "nOnE", "none ", " none", "", "HS256 ", "hs256", "Hs256", "HS384", "HS512",
		"RS256", "RS384", "RS512", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA", "A128KW", "dir",
	} {
		forgeries["alg "+name] = [2]string{alg, fmt.Sprintf(`"alg":%q`, name)}
	}
	for _, name := range []string{
		"", " ", id + " ", strings.ToUpper(id) + "_", id[:len(id)-1], "*", "../../../../dev/null", "/dev/null",
		"keys.json", "' OR '1'='1", "' UNION SELECT 'key' --", "0", "1", "-1", "null", "undefined",
		"https://evil.example/key", "file:///etc/passwd", "| sleep 5", "$(sleep 5)", "\x00", id + "\x00",
		"__proto__", strings.Repeat("k", 2000),
	} {
		quoted := strings.ReplaceAll(fmt.Sprintf("%q", name), `\x00`, `\u0000`)
		forgeries["kid "+fmt.Sprintf("%.30q", name)] = [2]string{kid, `"kid":` + quoted}
	}
	return forgeries
}

func payloadForgeries(exp, iat int64) map[string][2]string {
	expired := func(value any) [2]string {
		return [2]string{fmt.Sprintf(`"exp":%d`, exp), fmt.Sprintf(`"exp":%v`, value)}
	}
	issued := func(value any) [2]string {
		return [2]string{fmt.Sprintf(`"iat":%d`, iat), fmt.Sprintf(`"iat":%v`, value)}
	}
	subject := func(value string) [2]string { return [2]string{`"sub":"42"`, `"sub":` + value} }
	audience := func(value string) [2]string { return [2]string{`"aud":["api"]`, `"aud":` + value} }
	return map[string][2]string{
		"iss other":           {`"https://example.org"`, `"https://evil.example"`},
		"iss slash":           {`"https://example.org"`, `"https://example.org/"`},
		"iss capitals":        {`"https://example.org"`, `"https://EXAMPLE.org"`},
		"iss empty":           {`"https://example.org"`, `""`},
		"iss null":            {`"https://example.org"`, `null`},
		"iss list":            {`"https://example.org"`, `["https://example.org"]`},
		"iss missing":         {`"iss":"https://example.org",`, ``},
		"aud other":           audience(`["web"]`),
		"aud two":             audience(`["api","web"]`),
		"aud twice the same":  audience(`["api","api"]`),
		"aud text":            audience(`"api"`),
		"aud empty":           audience(`[]`),
		"aud null":            audience(`null`),
		"aud list of null":    audience(`[null]`),
		"aud number":          audience(`[1]`),
		"aud prefix":          audience(`["ap"]`),
		"aud missing":         {`"aud":["api"],`, ``},
		"exp missing":         {fmt.Sprintf(`"exp":%d,`, exp), ``},
		"exp null":            expired("null"),
		"exp text":            expired(fmt.Sprintf("%q", fmt.Sprint(exp))),
		"exp fraction":        expired(fmt.Sprintf("%d.5", exp)),
		"exp point zero":      expired(fmt.Sprintf("%d.0", exp)),
		"exp exponent":        expired("1.7e9"),
		"exp NaN":             expired("NaN"),
		"exp NaN text":        expired(`"NaN"`),
		"exp Infinity":        expired(`"Infinity"`),
		"exp huge":            expired("1e300"),
		"exp beyond float":    expired("1e400"),
		"exp beyond int64":    expired("9223372036854775808"),
		"exp largest int64":   expired("9223372036854775807"),
		"exp year 10000":      expired("253402300800"),
		"exp zero":            expired("0"),
		"exp minus zero":      expired("-0"),
		"exp negative":        expired("-1"),
		"exp list":            expired(fmt.Sprintf("[%d]", exp)),
		"exp true":            expired("true"),
		"exp an hour away":    expired(iat + 3600),
		"exp before iat":      expired(iat - 1),
		"exp at iat":          expired(iat),
		"exp twice":           expired(fmt.Sprintf("%d,\"exp\":%d", exp+1, exp)),
		"exp in capitals too": expired(fmt.Sprintf("%d,\"EXP\":%d", exp, exp)),
		"iat missing":         {fmt.Sprintf(`"iat":%d,`, iat), ``},
		"iat null":            issued("null"),
		"iat text":            issued(fmt.Sprintf("%q", fmt.Sprint(iat))),
		"iat fraction":        issued(fmt.Sprintf("%d.5", iat)),
		"iat in the future":   issued(iat + 6),
		"iat long ago":        issued(iat - 3600),
		"iat zero":            issued("0"),
		"iat huge":            issued("1e300"),
		"nbf in the future":   issued(fmt.Sprintf("%d,\"nbf\":%d", iat, iat+30)),
		"nbf in the past":     {fmt.Sprintf(`"iat":%d`, iat), fmt.Sprintf(`"nbf":%d,"iat":%d`, iat-9, iat)},
		"sub zero":            subject(`"0"`),
		"sub negative":        subject(`"-42"`),
		"sub minus zero":      subject(`"-0"`),
		"sub plus":            subject(`"+42"`),
		"sub leading zero":    subject(`"042"`),
		"sub float":           subject(`"42.0"`),
		"sub exponent":        subject(`"4e1"`),
		"sub hex":             subject(`"0x2a"`),
		"sub underscore":      subject(`"4_2"`),
		"sub leading space":   subject(`" 42"`),
		"sub trailing space":  subject(`"42 "`),
		"sub line break":      subject(`"42\n"`),
		"sub NUL":             subject(`"42\u0000"`),
		"sub other digits":    subject(`"٤٢"`),
		"sub too large":       subject(`"9223372036854775808"`),
		"sub name":            subject(`"admin"`),
		"sub empty":           subject(`""`),
		"sub number":          subject(`42`),
		"sub null":            subject(`null`),
		"sub list":            subject(`["42"]`),
		"sub escaped":         subject(`"\u00342"`),
		"sub twice":           subject(`"1","sub":"42"`),
		"sub in capitals too": subject(`"42","SUB":"1"`),
		"sub missing":         {`"sub":"42",`, ``},
		"sid empty":           {`"sid":"s1"`, `"sid":""`},
		"sid endless":         {`"s1"`, fmt.Sprintf("%q", strings.Repeat("s", maxToken))},
		"sid missing":         {`"sid":"s1",`, ``},
		"sid null":            {`"sid":"s1"`, `"sid":null`},
		"sid number":          {`"sid":"s1"`, `"sid":1`},
		"sid not UTF-8":       {`"sid":"s1"`, "\"sid\":\"\xff\""},
		"ver missing":         {`,"ver":3`, ``},
		"ver text":            {`"ver":3`, `"ver":"3"`},
		"ver fraction":        {`"ver":3`, `"ver":3.5`},
		"ver null":            {`"ver":3`, `"ver":null`},
		"ver beyond int64":    {`"ver":3`, `"ver":9223372036854775808`},
		"ver twice":           {`"ver":3`, `"ver":4,"ver":3`},
		"jti empty":           {`"jti":"j"`, `"jti":""`},
		"jti missing":         {`"jti":"j",`, ``},
		"unknown claim":       {`"ver":3`, `"ver":3,"role":"admin"`},
		"blank":               {`"ver":3`, `"ver": 3`},
		"line break behind":   {`"ver":3}`, "\"ver\":3}\n"},
		"second object":       {`"ver":3}`, `"ver":3}{}`},
		"null":                {``, `null`},
		"list":                {``, `[]`},
		"empty object":        {``, `{}`},
		"empty":               {``, ``},
		"no JSON":             {``, `sub=42`},
		"deep":                {``, strings.Repeat(`{"a":`, 300)},
	}
}

// shapeForgeries bend a genuine token.
func shapeForgeries(genuine string) map[string]string {
	parts := strings.Split(genuine, ".")
	header, payload, signature := parts[0], parts[1], parts[2]
	last := signature[len(signature)-1]
	return map[string]string{
		"empty":                    "",
		"dots":                     "..",
		"one part":                 header,
		"two parts":                header + "." + payload,
		"no signature":             header + "." + payload + ".",
		"four parts":               genuine + "." + signature,
		"trailing dot":             genuine + ".",
		"leading dot":              "." + genuine,
		"five parts, like a JWE":   genuine + ".AAAA.AAAA",
		"many dots":                strings.Repeat(".", 4000),
		"swapped":                  payload + "." + header + "." + signature,
		"signature first":          signature + "." + header + "." + payload,
		"signature cut":            genuine[:len(genuine)-1],
		"signature cut in half":    genuine[:len(genuine)-22],
		"signature longer":         genuine + "A",
		"signature zero":           header + "." + payload + "." + strings.Repeat("A", 43),
		"signature's unused bits":  genuine[:len(genuine)-1] + string(neighbour(last)),
		"padding on signature":     genuine + "=",
		"padding on payload":       header + "." + payload + "=." + signature,
		"padding on header":        header + "=." + payload + "." + signature,
		"blank in front":           " " + genuine,
		"blank behind":             genuine + " ",
		"line break behind":        genuine + "\n",
		"line break in signature":  header + "." + payload + ".\n" + signature,
		"line break in payload":    header + "." + payload[:8] + "\r\n" + payload[8:] + "." + signature,
		"line break in header":     header[:4] + "\n" + header[4:] + "." + payload + "." + signature,
		"NUL behind":               genuine + "\x00",
		"in quotes":                `"` + genuine + `"`,
		"with the scheme":          "Bearer " + genuine,
		"twice":                    genuine + genuine,
		"standard base64":          strings.NewReplacer("-", "+", "_", "/").Replace(genuine) + "+",
		"escaped":                  strings.ReplaceAll(genuine, ".", "%2E"),
		"1 MB of A":                strings.Repeat("A", 1<<20),
		"1 MB of dots":             strings.Repeat(".", 1<<20),
		"1 MB of signature":        genuine + strings.Repeat("A", 1<<20),
		"1 MB of braces":           base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("{", 1<<20))) + "." + payload + "." + signature,
		"JSON serialisation":       `{"protected":"` + header + `","payload":"` + payload + `","signature":"` + signature + `"}`,
		"payload of another token": header + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"1"}`)) + "." + signature,
	}
}

// neighbour returns the base64url character that differs from c only in the
// lowest bit, which is not used at the end of 32 bytes.
func neighbour(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)^1]
}

// keyForgeries are well-formed tokens signed with the wrong key or algorithm.
func keyForgeries(t *testing.T, tokens Tokens, header, payload string) map[string]string {
	t.Helper()
	own := tokens.Keys.list[0]
	other := mustKeys(t).list[0]
	disguised := other
	disguised.id = own.id
	forgeries := map[string]string{
		"another ring":                  forge{other}.sign(swap(t, header, [2]string{own.id, other.id}), payload),
		"another ring, our kid":         forge{disguised}.sign(header, payload),
		"raw secret":                    forge{key{id: own.id, access: own.secret}}.sign(header, payload),
		"empty key":                     forge{key{id: own.id}}.sign(header, payload),
		"kid as key":                    forge{key{id: own.id, access: []byte(own.id)}}.sign(header, payload),
		"the word secret":               forge{key{id: own.id, access: []byte("secret")}}.sign(header, payload),
		"none, unsigned":                unsigned(swap(t, header, [2]string{"HS256", "none"}), payload),
		"none, unsigned, without a kid": unsigned(`{"alg":"none","typ":"at+jwt"}`, payload),
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	claims := jwt.MapClaims{"iss": tokens.Issuer, "sub": "42", "aud": []string{tokens.Audience}, "sid": "s1", "ver": 3,
		"jti": "j", "iat": testNow.Unix(), "exp": testNow.Add(time.Minute).Unix()}
	for method, signer := range map[jwt.SigningMethod]any{
		jwt.SigningMethodRS256: rsaKey, jwt.SigningMethodPS256: rsaKey, jwt.SigningMethodES256: ecKey,
		jwt.SigningMethodHS384: own.access, jwt.SigningMethodHS512: own.access,
		jwt.SigningMethodHS256: own.access, // right key, members in another order
		jwt.SigningMethodNone:  jwt.UnsafeAllowNoneSignatureType,
	} {
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"], token.Header["typ"] = own.id, accessType
		signed, err := token.SignedString(signer)
		if err != nil {
			t.Fatal(err)
		}
		forgeries["made with "+method.Alg()] = signed
	}
	return forgeries
}

func unsigned(header, payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(payload)) + "."
}
