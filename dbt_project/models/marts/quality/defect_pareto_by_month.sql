{{ defect_pareto_of('month') }}
