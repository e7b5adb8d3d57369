package transfer

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// source is a dump that can be read several times.
type source struct {
	name string                                        // for messages
	size int64                                         // of what is stored, for progress
	open func(read func(int64)) (io.ReadCloser, error) // read is told how many stored bytes were read
}

// fileSource is the file at path: plain, gzip, or a zip with one file inside.
func fileSource(path string) (source, error) {
	name := filepath.Base(path)
	info, err := os.Stat(path)
	if err != nil {
		return source{}, fmt.Errorf("open the file to import: %w", err)
	}
	if !info.Mode().IsRegular() {
		return source{}, &Error{File: name, Reason: "This is not a regular file. Name the exported file itself."}
	}
	s := source{name: name, size: info.Size()}
	s.open = func(read func(int64)) (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("open the file to import: %w", err)
		}
		content, err := unpack(f, info.Size(), read)
		if err != nil {
			f.Close()
			return nil, err
		}
		return readCloser{content, f}, nil
	}
	return s, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// unpack looks at the first bytes of a file and yields what is inside it.
func unpack(f *os.File, size int64, read func(int64)) (io.Reader, error) {
	stored := bufio.NewReaderSize(&counter{r: f, read: read}, 64<<10)
	start, _ := stored.Peek(4)
	switch {
	case strings.HasPrefix(string(start), "\x1f\x8b"):
		unzipped, err := gzip.NewReader(stored)
		if err != nil {
			return nil, damaged(err)
		}
		return &guard{r: unzipped, packed: size}, nil
	case strings.HasPrefix(string(start), "PK\x03\x04"), strings.HasPrefix(string(start), "PK\x05\x06"):
		return openZip(f, size, read)
	}
	return stored, nil
}

func openZip(f *os.File, size int64, read func(int64)) (io.Reader, error) {
	archive, err := zip.NewReader(f, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are not used as paths
		return nil, damaged(err)
	}
	var files []*zip.File
	for _, entry := range archive.File {
		if !entry.FileInfo().IsDir() && !strings.HasPrefix(entry.Name, "__MACOSX/") {
			files = append(files, entry)
		}
	}
	if len(files) != 1 {
		return nil, failf(0, "The archive holds %d files; it must hold exactly one, the export. Unpack it and import each file by itself.", len(files))
	}
	entry := files[0]
	if entry.Flags&1 != 0 {
		return nil, failf(0, "The archive is encrypted. Unpack it and import the file inside.")
	}
	if entry.UncompressedSize64 > maxUnpacked {
		return nil, errTooBig()
	}
	content, err := entry.Open()
	if err != nil {
		return nil, damaged(err)
	}
	packed := int64(entry.CompressedSize64)
	return &guard{r: &share{r: content, read: read, inside: int64(entry.UncompressedSize64), stored: size}, packed: packed}, nil
}

func errTooBig() *Error {
	return failf(0, "The archive holds more than %d GiB. Split the export; WordPress can export by month or by author.", maxUnpacked>>30)
}

// damaged turns what is wrong with an archive into an Error, and leaves errors
// of the disk as they are.
func damaged(err error) error {
	var path *os.PathError
	if err == nil || err == io.EOF || errors.As(err, &path) {
		return err
	}
	return failf(0, "The compressed file is damaged or cut off (%v). Download or export it again.", err)
}

// guard stops archives that unpack to more than anybody exports.
type guard struct {
	r      io.Reader
	packed int64
	n      int64
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	g.n += int64(n)
	if g.n > maxUnpacked {
		return 0, errTooBig()
	}
	if g.n > ratioFrom && g.n/maxRatio > g.packed {
		return 0, failf(0, "The archive unpacks to more than %d times its size, which no export does. If it is genuine, unpack it first.", maxRatio)
	}
	return n, damaged(err)
}

// counter reports how much was read.
type counter struct {
	r    io.Reader
	read func(int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.read(int64(n))
	return n, err
}

// share reports how much of an archive the part of its content that was read
// stands for.
type share struct {
	r                          io.Reader
	read                       func(int64)
	inside, stored, n, counted int64
}

func (s *share) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if s.inside > 0 {
		now := min(s.stored, int64(float64(s.stored)*float64(s.n)/float64(s.inside)))
		s.read(now - s.counted)
		s.counted = now
	}
	return n, err
}

// readerSource makes a reader readable twice: by seeking if it can, else from a
// temporary file, which cleanup removes.
func readerSource(r io.Reader) (s source, cleanup func(), err error) {
	cleanup = func() {}
	seeker, ok := r.(io.ReadSeeker)
	if !ok {
		spool, err := os.CreateTemp("", "postil-import-*")
		if err != nil {
			return source{}, cleanup, fmt.Errorf("keep the dump for its second reading: %w", err)
		}
		cleanup = func() { spool.Close(); os.Remove(spool.Name()) }
		n, err := io.Copy(spool, io.LimitReader(r, maxUnpacked+1))
		if err == nil && n > maxUnpacked {
			err = failf(0, "The dump is larger than %d GiB. Import it as a file.", maxUnpacked>>30)
		}
		if err != nil {
			cleanup()
			return source{}, func() {}, err
		}
		seeker = spool
		if _, err := spool.Seek(0, io.SeekStart); err != nil {
			return source{}, cleanup, err
		}
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return source{}, cleanup, err
	}
	s.open = func(read func(int64)) (io.ReadCloser, error) {
		_, err := seeker.Seek(start, io.SeekStart)
		return io.NopCloser(&counter{r: seeker, read: read}), err
	}
	return s, cleanup, nil
}

// cancelled stops reading when ctx ends.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
