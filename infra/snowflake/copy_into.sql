-- The load without a pipe: by hand, or as a task. Run it after create_stage_and_pipe.sql and
-- merge_staging.sql. It may run beside the pipe: what both bring is there once (number_loads).

use role retail_loader;
use warehouse retail_wh;

-- All files that this table has not loaded yet. COPY remembers files for 64 days; of older ones it
-- does not know, skips them, and loads them with LOAD_UNCERTAIN_FILES = TRUE. For one day, end the
-- stage's name with /dt=2026-11-23/.
-- See: a row a file, status LOADED, or LOAD_FAILED with its first error.
copy into retail.raw.raw_purchases_staging (
    event_id,
    ts,
    store_id,
    customer_id,
    product_id,
    category,
    price,
    quantity,
    total_amount,
    _rescued_data,
    _source_object,
    _source_line,
    dt,
    _bronze_file,
    _scanned_at
)
from (
    select
        $1:event_id::varchar,
        $1:ts::timestamp_ltz(6),
        $1:store_id::varchar,
        $1:customer_id::varchar,
        $1:product_id::varchar,
        $1:category::varchar,
        $1:price::float,
        $1:quantity::number(10, 0),
        $1:total_amount::float,
        $1:_rescued_data::varchar,
        $1:_source_object::varchar,
        $1:_source_line::number(19, 0),
        split_part(split_part(metadata$filename, 'dt=', -1), '/', 1)::date,
        'bronze/dt=' || split_part(metadata$filename, 'dt=', -1),
        metadata$start_scan_time
    from @retail.raw.retail_bronze_stage
)
file_format = (format_name = 'retail.raw.retail_bronze_format')
pattern = '.*[.]parquet'
on_error = skip_file;

call retail.raw.number_loads();

-- The same every hour, for those who want no pipe. It begins suspended.
create task if not exists retail.raw.copy_bronze_task
    warehouse = retail_wh
    schedule = '60 minute'
    user_task_timeout_ms = 3600000
    suspend_task_after_num_failures = 3
as
copy into retail.raw.raw_purchases_staging (
    event_id,
    ts,
    store_id,
    customer_id,
    product_id,
    category,
    price,
    quantity,
    total_amount,
    _rescued_data,
    _source_object,
    _source_line,
    dt,
    _bronze_file,
    _scanned_at
)
from (
    select
        $1:event_id::varchar,
        $1:ts::timestamp_ltz(6),
        $1:store_id::varchar,
        $1:customer_id::varchar,
        $1:product_id::varchar,
        $1:category::varchar,
        $1:price::float,
        $1:quantity::number(10, 0),
        $1:total_amount::float,
        $1:_rescued_data::varchar,
        $1:_source_object::varchar,
        $1:_source_line::number(19, 0),
        split_part(split_part(metadata$filename, 'dt=', -1), '/', 1)::date,
        'bronze/dt=' || split_part(metadata$filename, 'dt=', -1),
        metadata$start_scan_time
    from @retail.raw.retail_bronze_stage
)
file_format = (format_name = 'retail.raw.retail_bronze_format')
pattern = '.*[.]parquet'
on_error = skip_file;

-- To start it:  alter task retail.raw.copy_bronze_task resume;
