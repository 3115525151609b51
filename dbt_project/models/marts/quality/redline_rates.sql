{{ redline_rates_of('day') }}
