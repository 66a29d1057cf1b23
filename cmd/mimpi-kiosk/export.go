package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"
)

func exportCommand() *cobra.Command { return &cobra.Command{Use: "export"} }

func (a archive) Export(ctx context.Context, w io.Writer) error { return errors.New("not yet") }
