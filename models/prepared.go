package models

import (
	"context"
	"database/sql"
	"errors"
)

// preparedConn is the writer's connection. Statements that were prepared on it
// stay prepared from one transaction to the next; preparing them anew each time
// took a quarter of the time of a write. One goroutine uses it, so nothing is
// locked.
type preparedConn struct {
	pool       *sql.DB
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

// maxPrepared bounds the statements kept. There are some hundred in this
// package, and one more for every length of an IN list.
const maxPrepared = 500

func newPreparedConn(ctx context.Context, pool *sql.DB) (*preparedConn, error) {
	conn, err := pool.Conn(ctx)
	return &preparedConn{pool, conn, map[string]*sql.Stmt{}}, err
}

// Close closes the statements and the connection. Closing twice is closing once.
func (p *preparedConn) Close() error {
	err := p.forget()
	if closing := p.conn.Close(); !errors.Is(closing, sql.ErrConnDone) {
		err = errors.Join(err, closing)
	}
	return errors.Join(err, p.pool.Close())
}

func (p *preparedConn) forget() (err error) {
	for query, s := range p.statements {
		err = errors.Join(err, s.Close())
		delete(p.statements, query)
	}
	return err
}

// PrepareContext is the statement of a query, made when it is first asked for.
func (p *preparedConn) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := p.statements[query]; s != nil {
		return s, nil
	}
	if len(p.statements) >= maxPrepared {
		if err := p.forget(); err != nil {
			return nil, err
		}
	}
	s, err := p.conn.PrepareContext(ctx, query)
	if err == nil {
		p.statements[query] = s
	}
	return s, err
}

// ExecContext, QueryContext and QueryRowContext make this a gorm.ConnPool.
func (p *preparedConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext runs a query that answers with rows.
func (p *preparedConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// QueryRowContext runs a query that answers with a row.
func (p *preparedConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := p.PrepareContext(ctx, query)
	if err != nil {
		return p.conn.QueryRowContext(ctx, query, args...) // fails the same way, and says so in its row
	}
	return s.QueryRowContext(ctx, args...)
}
