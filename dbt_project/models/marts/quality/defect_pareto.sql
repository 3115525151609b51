{{ defect_pareto_of('day') }}
