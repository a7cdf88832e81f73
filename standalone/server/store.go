package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
	_ "modernc.org/sqlite"
)

// retention is how long the histories of ended workflows can be looked at.
// A pass leaves some 20 KiB, every half an hour: 7 MiB a shop.
const retention = 7 * 24 * time.Hour

// memories numbers the databases in memory: two with one name are one database.
var memories atomic.Int64

// openStore returns a database that has Temporal's tables and the namespace.
// Search attributes are given to a namespace that is created, not to one that
// is there already.
func openStore(file, namespace string, attributes map[string]enums.IndexedValueType) (*config.SQL, error) {
	store := &config.SQL{PluginName: sqliteplugin.PluginName}
	if file == "" {
		store.DatabaseName = "temporal-" + strconv.FormatInt(memories.Add(1), 10)
		store.ConnectAttributes = map[string]string{"mode": "memory", "cache": "shared"} // the plugin makes the tables
	} else {
		path, err := filepath.Abs(file)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", file, err)
		}
		store.DatabaseName = (&url.URL{Path: path}).EscapedPath() // SQLite takes it as a URL
		// A killed process loses nothing. A power cut may cost the last moments,
		// never the file: waiting for the disk at every commit would make each
		// step of a workflow as slow as the disk.
		store.ConnectAttributes = map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			"synchronous":  "normal",
			"busy_timeout": "5000",   // ms; somebody may be looking into the file
			"temp_store":   "memory", // no files in the system's folder
		}
		if err := createTables(store.DatabaseName); err != nil {
			return nil, fmt.Errorf("open the database %s: %w", file, err)
		}
	}
	ns, err := sqliteschema.NewNamespaceConfig(clusterName, namespace, false, attributes)
	if err != nil {
		return nil, fmt.Errorf("describe namespace %q: %w", namespace, err)
	}
	ns.Detail.Config.Retention = durationpb.New(retention)
	if err := sqliteschema.CreateNamespaces(store, ns); err != nil {
		return nil, fmt.Errorf("create namespace %q in %s: %w", namespace, file, err)
	}
	return store, nil
}

// createTables makes the tables in a new file, all or none: a process killed
// meanwhile leaves an empty file, which is a new one.
func createTables(name string) (err error) {
	db, err := sql.Open("sqlite", "file:"+name+"?mode=rwc&_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=temp_store(memory)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	var tables int
	if err := tx.QueryRow("SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return err
	}
	if tables > 0 {
		return nil
	}
	if err := sqliteschema.SetupSchemaOnDB(statements{tx: tx}); err != nil {
		return err
	}
	return tx.Commit()
}

// statements lets Temporal run its schema inside a transaction. Exec is all
// that it calls.
type statements struct {
	sqlplugin.AdminDB
	tx *sql.Tx
}

func (s statements) Exec(statement string, args ...any) error {
	_, err := s.tx.Exec(statement, args...)
	return err
}
