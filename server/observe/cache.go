package observe

import "github.com/maypok86/otter/v2"

// Cache tells what became of the questions to one cache.
type Cache struct {
	Name string // as the label of a metric
	Look func() (hits, misses uint64, entries int)
}

// CacheOf watches a cache, which has to have a StatsRecorder.
func CacheOf[K comparable, V any](name string, cache *otter.Cache[K, V]) Cache {
	return Cache{Name: name, Look: func() (hits, misses uint64, entries int) {
		s := cache.Stats()
		return s.Hits, s.Misses, cache.EstimatedSize()
	}}
}
