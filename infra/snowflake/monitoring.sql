-- Views of what the pipe is doing. Run it after merge_staging.sql; then `select * from retail.raw.…`.

use role retail_loader;
use warehouse retail_wh;

-- One row: what SYSTEM$PIPE_STATUS says. Anything but RUNNING wants a look; pending files that do not
-- get fewer do, too.
create or replace view retail.raw.pipe_status as
with status as (
    select parse_json(system$pipe_status('retail.raw.retail_bronze_pipe')) as said
)
select
    said:executionState::varchar as execution_state,
    said:pendingFileCount::number as pending_file_count,
    said:oldestFileTimestamp::timestamp_tz as oldest_file_timestamp,
    said:oldestPendingFilePath::varchar as oldest_pending_file_path,
    said:lastIngestedTimestamp::timestamp_tz as last_ingested_timestamp,
    said:lastIngestedFilePath::varchar as last_ingested_file_path,
    said:lastReceivedMessageTimestamp::timestamp_tz as last_received_message_timestamp,
    said:lastForwardedMessageTimestamp::timestamp_tz as last_forwarded_message_timestamp,
    said:notificationChannelName::varchar as notification_channel_name,
    said:numOutstandingMessagesOnChannel::number as num_outstanding_messages_on_channel,
    said:error::varchar as error,
    said:fault::varchar as fault,
    timediff(
        second, said:lastIngestedTimestamp::timestamp_tz, current_timestamp()
    ) as seconds_since_last_file
from status;

-- One row a file and load of the last 14 days, the pipe's and COPY's.
create or replace view retail.raw.recent_loads as
select
    file_name,
    stage_location,
    last_load_time,
    row_count,
    row_parsed,
    file_size,
    first_error_message,
    first_error_line_number,
    first_error_column_name,
    error_count,
    status,
    pipe_name,
    pipe_received_time,
    timediff(second, pipe_received_time, last_load_time) as seconds_to_load
from table(retail.information_schema.copy_history(
    table_name => 'retail.raw.raw_purchases_staging',
    start_time => dateadd(day, -13, current_timestamp())
));

-- One row a file that did not load, or not whole. Each of them stays pending in `medallion verify`.
create or replace view retail.raw.failed_loads as
select
    file_name,
    last_load_time,
    status,
    error_count,
    first_error_message,
    first_error_line_number,
    first_error_column_name
from retail.raw.recent_loads
where lower(status) <> 'loaded';

-- One row a day: how much came, and in files of which size. 100 to 250 MB are good; of many small
-- ones the fee for each costs more than the load.
create or replace view retail.raw.loads_by_day as
select
    last_load_time::date as day,
    count(*) as files,
    sum(row_count) as row_count,
    round(sum(file_size) / 1e6, 1) as megabytes,
    round(avg(file_size) / 1e6, 3) as megabytes_a_file,
    max(seconds_to_load) as max_seconds_to_load
from retail.raw.recent_loads
where lower(status) = 'loaded'
group by last_load_time::date;

-- One row: what has arrived and has no number yet, and what every refresh can see.
create or replace view retail.raw.staging_progress as
select
    count(_load_seq) as numbered_rows,
    count(*) - count(_load_seq) as arrived_rows,
    min(case when _load_seq is null then _scanned_at end) as oldest_arrival,
    max(_load_seq) as last_load_seq
from retail.raw.raw_purchases_staging;

-- One row a file that came more than once in the last 14 days: number_loads took its rows once.
create or replace view retail.raw.repeated_loads as
select file_name, count(*) as loads, max(last_load_time) as last_load_time
from retail.raw.recent_loads
where lower(status) in ('loaded', 'partially loaded')
group by file_name
having count(*) > 1;

-- See: execution_state RUNNING.
select * from retail.raw.pipe_status;
