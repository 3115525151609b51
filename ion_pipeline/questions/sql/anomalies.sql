-- What in the record cannot be true?

select severity, anomaly, finding
from genealogy.genealogy_anomalies
order by severity, anomaly_key
