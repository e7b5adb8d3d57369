.PHONY: run test race lint bench ci
run: ; go run ./cmd/postil serve
test: ; go test ./...
race: ; CGO_ENABLED=1 go test -race ./auth ./anchor ./markup ./middleware ./models/... ./handlers ./transfer
lint: ; gofmt -l . && go vet ./... && go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
bench: ; go run -tags nomsgpack ./cmd/postil bench
ci: ; bash .ci/run
