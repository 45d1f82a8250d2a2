-- Makes loads exactly once, by one MERGE: rows that arrived get the number of their load, repeats of
-- rows already there go. A file comes twice when a pipe was made anew, refreshed after 14 days, or
-- COPY was run beside it. Run it after create_stage_and_pipe.sql.
--
-- dbt calls number_loads at the start of each run. The task at the end is for those who want it done
-- without dbt; it begins suspended.

use role retail_loader;
use warehouse retail_wh;

-- A line is its raw object and its number there, and stands in one bronze file. So repeats are looked
-- for among the rows that arrived and the loads that brought the same files: what it costs follows
-- what arrived, not the table. Everything that arrived in one file gets one number, higher than all
-- before. Numbers become visible in their order, which dbt's window relies on: whoever gives them
-- first waits for the turn, and keeps it until the commit.
create or replace procedure retail.raw.number_loads()
returns varchar
language sql
execute as owner
as
$$
begin
    begin transaction;

    update retail.raw.load_turn set taken_at = current_timestamp();

    merge into retail.raw.raw_purchases_staging as staging
    using (
        with arrived as (
            select _bronze_file, _source_object, _source_line, _scanned_at
            from retail.raw.raw_purchases_staging
            where _load_seq is null
        ),
        present as (
            select distinct _source_object, _source_line
            from retail.raw.raw_purchases_staging
            where _load_seq in (
                select load_seq
                from retail.raw.load_history
                where path in (select _bronze_file from arrived)
            )
        ),
        judged as (
            select
                arrived.*,
                present._source_line is not null or row_number() over (
                    partition by arrived._source_object, arrived._source_line
                    order by arrived._scanned_at, arrived._bronze_file
                ) > 1 as is_repeat
            from arrived
            left join present
                on arrived._source_object = present._source_object
                    and arrived._source_line = present._source_line
        )
        select
            *,
            (select coalesce(max(load_seq), 0) from retail.raw.load_history)
            + dense_rank() over (partition by is_repeat order by _bronze_file) as load_seq
        from judged
    ) as numbered
        on staging._load_seq is null
            and staging._bronze_file = numbered._bronze_file
            and staging._source_object = numbered._source_object
            and staging._source_line = numbered._source_line
            and staging._scanned_at = numbered._scanned_at
    when matched and numbered.is_repeat then delete
    when matched then update set _load_seq = numbered.load_seq;

    insert into retail.raw.load_history (path, row_count, load_seq, loaded_at)
    select _bronze_file, count(*), _load_seq, max(_scanned_at)
    from retail.raw.raw_purchases_staging
    where _load_seq > (select coalesce(max(load_seq), 0) from retail.raw.load_history)
    group by _bronze_file, _load_seq;

    commit;
    return 'numbered';
exception
    when other then
        rollback;
        raise;
end;
$$;
grant usage on procedure retail.raw.number_loads() to role retail_transformer;

-- See: `numbered`; afterwards no row of staging is without a number.
call retail.raw.number_loads();

-- Serverless, since a warehouse is billed for a whole minute each time it wakes. It never overlaps
-- itself.
create task if not exists retail.raw.number_loads_task
    user_task_managed_initial_warehouse_size = 'XSMALL'
    schedule = '5 minute'
    user_task_timeout_ms = 600000
    suspend_task_after_num_failures = 3
as
call retail.raw.number_loads();

-- To start it:  alter task retail.raw.number_loads_task resume;
