{{ redline_rates_of('week') }}
