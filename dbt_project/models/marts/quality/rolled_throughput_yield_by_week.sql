{{ rolled_throughput_yield_of('week') }}
