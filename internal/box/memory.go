package box

import (
	"fmt"
	"os"
	"strings"

	"mimpi-kiosk/internal/health"
)

const (
	memoryNote    = 100 << 20 // bytes
	memoryProblem = 40 << 20
)

// memory says whether programs have enough of it.
func (w *Watch) memory() *health.Part {
	data, err := os.ReadFile(w.path("proc/meminfo"))
	if err != nil {
		return nil
	}
	for line := range strings.SplitSeq(string(data), "\n") {
		var kilobytes int64
		if _, err := fmt.Sscanf(line, "MemAvailable: %d kB", &kilobytes); err != nil {
			continue
		}
		hint := []string{
			"Nyalakan ulang kotak saat jeda. Malam ini bisa dilanjutkan di titik yang sama.",
			"Restart the box in a break. The evening goes on from the same point.",
		}
		switch free := kilobytes << 10; {
		case free < memoryProblem:
			return part("memory", health.Problem, "Memori kerja kotak hampir habis.", "The box is almost out of working memory.", hint...)
		case free < memoryNote:
			return part("memory", health.Note, "Memori kerja kotak tinggal sedikit.", "The box has little working memory left.", hint...)
		}
		return part("memory", health.OK, "Memori kerja kotak cukup.", "The box has enough working memory.")
	}
	return nil
}
