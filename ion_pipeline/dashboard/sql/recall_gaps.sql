select
    string_agg(entity, ', ' order by entity) filter (where entity in ('abom_installations', 'build_requirements'))
    || ' of ION never read: installations recorded there are missing.' as missing
from ops.freshness
where last_read_at is null
having
    count(*) filter (where entity in ('abom_installations', 'build_requirements')) > 0
    and count(*) filter (where entity in ('abom_edges', 'abom_items')) > 0
union all
select 'Rows under export control are left out of this data: units among them are missing.' as missing
from ops.loads
where is_latest and rows_read is null
union all
select finding || ' Units in and above it are missing for what is in it.' as missing
from genealogy.genealogy_anomalies
where anomaly in ('cycle', 'tree_cut_off')
