{{ redline_rates_of('month') }}
