{{ rolled_throughput_yield_of('day') }}
