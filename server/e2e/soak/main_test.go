package soak_test

import (
	"testing"

	"doorman/server/e2e/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }
