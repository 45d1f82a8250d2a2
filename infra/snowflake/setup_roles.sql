-- Database, schemas, warehouses, roles and service users. The first file to run.
-- Run it as a user who has the role ACCOUNTADMIN. Running it again changes nothing that is there.
--
-- Variables (snowpipe_auto_ingest_instructions.md says how to give them):
--   credit_quota            credits a month after which the warehouses are suspended, such as 20
--   loader_public_key       public keys, without their first and last line and line breaks
--   transformer_public_key
--   reader_public_key

-- 1) Where everything is, and who pays -------------------------------------------------------------

use role accountadmin;

create database if not exists retail
    data_retention_time_in_days = 1
    comment = 'Retail purchases, from the pipe to gold';
create schema if not exists retail.raw comment = 'What the pipe loads, and what dbt keeps of its runs';
create schema if not exists retail.bronze comment = 'Views of raw, and seeds';
create schema if not exists retail.silver comment = 'One row a purchase, and the dimensions';
create schema if not exists retail.gold comment = 'What is reported';

-- Warehouses alone: Snowpipe and serverless tasks are billed apart, costs.sql shows them.
create resource monitor if not exists retail_monitor with
    credit_quota = &{credit_quota}
    frequency = monthly
    start_timestamp = immediately
    triggers
        on 75 percent do notify
        on 100 percent do suspend
        on 110 percent do suspend_immediate;

-- dbt's, and that of loads without a pipe. docs/snowflake.md has the arithmetic for its size.
create warehouse if not exists retail_wh
    warehouse_size = xsmall
    auto_suspend = 60
    auto_resume = true
    initially_suspended = true
    statement_timeout_in_seconds = 3600
    resource_monitor = retail_monitor
    comment = 'Transforms and loads';
-- The readers', so that no report waits for a load or a load for a report.
create warehouse if not exists retail_reader_wh
    warehouse_size = xsmall
    auto_suspend = 60
    auto_resume = true
    initially_suspended = true
    statement_timeout_in_seconds = 300
    resource_monitor = retail_monitor
    comment = 'Reads gold';

-- 2) Roles ------------------------------------------------------------------------------------------

create role if not exists retail_loader comment = 'Owns the stage, the pipe and their tables';
create role if not exists retail_transformer comment = 'dbt: reads raw, owns bronze, silver and gold';
create role if not exists retail_reader comment = 'Reads gold';
grant role retail_loader to role sysadmin;
grant role retail_transformer to role sysadmin;
grant role retail_reader to role sysadmin;

grant usage on database retail to role retail_loader;
grant usage on database retail to role retail_transformer;
grant usage on database retail to role retail_reader;
grant usage on warehouse retail_wh to role retail_loader;
grant usage on warehouse retail_wh to role retail_transformer;
grant usage on warehouse retail_reader_wh to role retail_reader;

-- The loader makes and owns all that create_stage_and_pipe.sql and the files after it make in raw.
grant usage, create table, create view, create stage, create file format, create pipe, create task,
    create procedure on schema retail.raw to role retail_loader;
-- For the tasks of merge_staging.sql and copy_into.sql alone, which begin suspended.
grant execute task on account to role retail_loader;
grant execute managed task on account to role retail_loader;

-- The transformer reads raw and writes none of the loader's tables: number_loads (merge_staging.sql)
-- changes staging with its owner's rights. Its own few tables are there, too, hence CREATE TABLE.
grant usage, create table on schema retail.raw to role retail_transformer;
grant select on all tables in schema retail.raw to role retail_transformer;
grant select on future tables in schema retail.raw to role retail_transformer;
-- dbt asks to create a schema if it is not there, which needs the privilege even where it is.
grant create schema on database retail to role retail_transformer;
grant ownership on schema retail.bronze to role retail_transformer revoke current grants;
grant ownership on schema retail.silver to role retail_transformer revoke current grants;
grant ownership on schema retail.gold to role retail_transformer revoke current grants;

grant usage on schema retail.gold to role retail_reader;
grant select on all tables in schema retail.gold to role retail_reader;
grant select on all views in schema retail.gold to role retail_reader;
grant select on future tables in schema retail.gold to role retail_reader;
grant select on future views in schema retail.gold to role retail_reader;

-- 3) Users of programs: a key each, and no password, which TYPE = SERVICE does not allow ------------

create user if not exists retail_pipe
    type = service
    default_role = retail_loader
    default_warehouse = retail_wh
    rsa_public_key = '&{loader_public_key}'
    comment = 'Calls the pipe (Snowpipe REST) and runs the files in infra/snowflake';
create user if not exists retail_dbt
    type = service
    default_role = retail_transformer
    default_warehouse = retail_wh
    rsa_public_key = '&{transformer_public_key}'
    comment = 'Runs dbt';
create user if not exists retail_bi
    type = service
    default_role = retail_reader
    default_warehouse = retail_reader_wh
    rsa_public_key = '&{reader_public_key}'
    comment = 'Reads gold';
grant role retail_loader to user retail_pipe;
grant role retail_transformer to user retail_dbt;
grant role retail_reader to user retail_bi;

-- See: three users of TYPE SERVICE, with has_rsa_public_key true and has_password false.
show users like 'retail_%';
