package main

import "errors"

func rates(map[string]string) error { return errors.New("not yet") }
