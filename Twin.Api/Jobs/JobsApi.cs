using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>The newest job first.</summary>
internal sealed record JobList(IReadOnlyList<JobView> Jobs, string? Next);

internal static class JobsApi
{
    public const string Path = "/api/v1/jobs";
    private const int MaxName = 200;

    public static void MapJobsApi(this IEndpointRouteBuilder routes, ApiLimits limits)
    {
        routes.MapPost(Path, Post).Needs(Right.Analyse).WithName("post_job").WithTags("jobs").Produces<JobView>(202)
            .Accepts<string>("application/json", CsvIntake.Csv, ObservationsApi.Ndjson)
            .ProducesProblem(400).ProducesProblem(403).ProducesProblem(413).ProducesProblem(422).ProducesProblem(429)
            .ProducesProblem(501).WithMetadata(new RequestSizeLimitAttribute(limits.MaxBodyBytes))
            .WithRequestTimeout(TwinApi.IngestPolicy)
            .WithSummary("Starts a job on a copy of the data: kind (what_if: text, since; verify; replay: file, of the "
                + "service's folder of recordings, and profile). A recording itself is sent as CSV or NDJSON with "
                + "?profile=");
        routes.MapPost(PoliciesApi.Path + "/what-if", WhatIf).IsAct(Right.Analyse, PoliciesApi.MaxBodyBytes)
            .WithName("try_policy").WithTags("policies").Produces<JobView>(202).ProducesProblem(429)
            .ProducesProblem(501)
            .WithSummary("Runs the recorded past through another policy, as a job: text, since");
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_jobs").WithTags("jobs")
            .WithSummary("Jobs since the start of the service, the newest first");
        routes.MapGet(Path + "/{id}", Get).Needs(Right.Read).WithName("get_job").WithTags("jobs").ProducesProblem(404)
            .WithSummary("A job: state, progress, and its result when it is done");
        routes.MapDelete(Path + "/{id}", Cancel).Needs(Right.Analyse).WithName("cancel_job").WithTags("jobs")
            .ProducesProblem(404).WithSummary("Cancels a job");
    }

    private static Accepted<JobView> Started(JobView job) => TypedResults.Accepted(job.Link, job);

    private static async Task<Accepted<JobView>> WhatIf(HttpContext http, JobQueue jobs, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var body = await StrictBody.Read(http.Request, PoliciesApi.MaxBodyBytes, cancel);
        var request = WhatIfOf(body);
        body.End();
        return Add(http, jobs, request);
    }

    private static JobRequest WhatIfOf(StrictBody body)
    {
        var (text, since) = (body.RequiredText("text", PolicyActivation.MaxText), body.Time("since"));
        PoliciesApi.Read(text);
        return new JobRequest(JobKind.WhatIf, text, since);
    }

    /// <summary>A job sees the whole fleet, and so does its result.</summary>
    private static Accepted<JobView> Add(HttpContext http, JobQueue jobs, JobRequest request)
    {
        var caller = Caller.Of(http);
        CaseSight.RequireEverywhere(caller);
        return Started(jobs.Add(request, caller));
    }

    private static async Task<Accepted<JobView>> Post(string? profile, HttpContext http, JobQueue jobs,
        ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "profile");
        var type = http.Request.ContentType?.Split(';')[0].Trim().ToLowerInvariant();
        if (type is CsvIntake.Csv || ObservationsApi.IsNdjson(type))
            return await Upload(profile, type is CsvIntake.Csv, http, jobs, options, cancel);
        if (profile is not null)
            throw Parameters.Bad("bad_profile", "The parameter profile goes with a recording that is sent.",
                "Give profile as a member of the body.");
        var body = await StrictBody.Read(http.Request, PoliciesApi.MaxBodyBytes, cancel);
        var request = body.RequiredWord<JobKind>("kind") switch
        {
            JobKind.WhatIf => WhatIfOf(body),
            JobKind.Verify => new JobRequest(JobKind.Verify),
            _ => ReplayOf(body, options),
        };
        body.End();
        return Add(http, jobs, request);
    }

    private static JobRequest ReplayOf(StrictBody body, ApiOptions options)
    {
        var (name, profile) = (body.RequiredText("file", MaxName),
            CsvIntake.ProfileOf(body.Text("profile", MaxName))?.Name);
        if (options.ReplayFolder is not { } folder)
            throw new ApiProblem(422, "no_replay_folder", "This service has no folder of recordings.",
                "Start it with --replay-files, or send the recording itself as text/csv.");
        // A name, and nothing that leads out of the folder.
        var file = System.IO.Path.Combine(folder, name);
        if (name.IndexOfAny(['/', '\\']) >= 0 || name.StartsWith('.') || PlainText.Refusal(name) is not null
            || !File.Exists(file) || new FileInfo(file).LinkTarget is not null)
            throw new ApiProblem(404, "file_not_found", "There is no such file in the service's folder of recordings.",
                "Give the name of a file in it, without a path.");
        return new JobRequest(JobKind.Replay, File: file, Profile: profile);
    }

    private static async Task<Accepted<JobView>> Upload(string? profile, bool isCsv, HttpContext http, JobQueue jobs,
        ApiOptions options, CancellationToken cancel)
    {
        CaseSight.RequireEverywhere(Caller.Of(http));
        var name = CsvIntake.ProfileOf(Parameters.Text(profile, "profile"))?.Name;
        var spool = await Spool.Of(options, isCsv ? ".csv" : ".ndjson", ObservationsApi.BodyOf(http.Request), cancel);
        try
        {
            // From here on it is the job's.
            return Add(http, jobs, new JobRequest(JobKind.Replay, File: spool.Path, IsUpload: true, Profile: name));
        }
        catch
        {
            spool.Dispose();
            throw;
        }
    }

    private static Ok<JobList> List(HttpContext http, JobQueue jobs)
    {
        Parameters.Only(http.Request);
        var caller = Caller.Of(http);
        // What a job found is about the whole fleet.
        return TypedResults.Ok(new JobList(caller.Regions.Count > 0 ? [] : jobs.All(), null));
    }

    private static Ok<JobView> Get(string id, HttpContext http, JobQueue jobs)
    {
        Parameters.Only(http.Request);
        CaseSight.RequireEverywhere(Caller.Of(http));
        return TypedResults.Ok(jobs.Get(id));
    }

    private static Ok<JobView> Cancel(string id, HttpContext http, JobQueue jobs)
    {
        Parameters.Only(http.Request);
        CaseSight.RequireEverywhere(Caller.Of(http));
        return TypedResults.Ok(jobs.Cancel(id));
    }
}
