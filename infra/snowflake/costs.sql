-- What the last 30 days cost, by day. Needs ACCOUNTADMIN, or the database roles
-- SNOWFLAKE.USAGE_VIEWER and, for the last two, SNOWFLAKE.GOVERNANCE_VIEWER. These views lag by up to
-- three hours.

use role accountadmin;
use warehouse retail_reader_wh;

-- The pipe: compute, and a fee for each file. Many files for few credits of compute are too small.
select
    start_time::date as day,
    sum(credits_used) as credits,
    sum(files_inserted) as files,
    sum(bytes_inserted) / 1e6 as megabytes,
    sum(credits_used) / nullif(sum(files_inserted), 0) * 1000 as credits_per_1000_files
from snowflake.account_usage.pipe_usage_history
where pipe_name = 'RETAIL_BRONZE_PIPE'
    and start_time > dateadd(day, -30, current_timestamp())
group by start_time::date
order by day desc;

-- The warehouses: credits, and how much of them went by while nothing ran.
select
    start_time::date as day,
    warehouse_name,
    sum(credits_used) as credits,
    sum(credits_used_compute - credits_attributed_compute_queries) as idle_credits
from snowflake.account_usage.warehouse_metering_history
where warehouse_name in ('RETAIL_WH', 'RETAIL_READER_WH')
    and start_time > dateadd(day, -30, current_timestamp())
group by start_time::date, warehouse_name
order by day desc, warehouse_name;

-- The serverless task, if it runs.
select
    start_time::date as day,
    task_name,
    sum(credits_used) as credits
from snowflake.account_usage.serverless_task_history
where database_name = 'RETAIL'
    and start_time > dateadd(day, -30, current_timestamp())
group by start_time::date, task_name
order by day desc;

-- What is stored, by table, with what time travel keeps.
select
    table_schema,
    table_name,
    active_bytes / 1e9 as gigabytes,
    time_travel_bytes / 1e9 as time_travel_gigabytes,
    failsafe_bytes / 1e9 as failsafe_gigabytes
from snowflake.account_usage.table_storage_metrics
where table_catalog = 'RETAIL' and not deleted
order by active_bytes desc;

-- dbt, by run. A run's name is in the tag that the profile gives its sessions.
select
    query_tag,
    min(start_time) as began,
    count(*) as statements,
    sum(total_elapsed_time) / 1000 as seconds,
    sum(bytes_scanned) / 1e9 as gigabytes_scanned
from snowflake.account_usage.query_history
where startswith(query_tag, 'medallion')
    and start_time > dateadd(day, -30, current_timestamp())
group by query_tag
order by began desc;

-- dbt, by model. Each statement ends with a comment that names its node (docs/snowflake.md).
select
    regexp_substr(query_text, '"node_id": "([^"]+)"', 1, 1, 'e') as model,
    count(*) as statements,
    sum(total_elapsed_time) / 1000 as seconds,
    sum(bytes_scanned) / 1e9 as gigabytes_scanned
from snowflake.account_usage.query_history
where startswith(query_tag, 'medallion')
    and start_time > dateadd(day, -30, current_timestamp())
group by model
order by seconds desc;
