-- Whose data is this, and how old?

select tenant, read_by, read_at, strategy, entity_count, rows_read, rows_inserted, rows_updated, rows_deleted
from ops.loads
where is_latest
