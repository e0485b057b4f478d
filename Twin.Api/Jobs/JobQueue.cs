using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>What is worked on beside the service.</summary>
public enum JobKind { WhatIf, Verify, Replay }

public enum JobState { Queued, Running, Done, Failed, Cancelled }

/// <summary>
/// What a job is asked for. <paramref name="Text"/>: the policy of a what-if; <paramref name="Since"/>: from when it
/// is in force, null for all along. <paramref name="File"/>: the recording of a replay, in
/// <paramref name="IsUpload"/> one that was sent and is removed with the job. <paramref name="Profile"/>: how its file
/// is read, null: it is recognised.
/// </summary>
public sealed record JobRequest(JobKind Kind, string Text = "", UnixTime? Since = null, string? File = null,
    bool IsUpload = false, string? Profile = null);

/// <summary>How a job tells how far it is, 0 to 1, and what it does.</summary>
public delegate void JobProgress(double done, string message);

/// <summary>The work of a job: gives its result, which is written as JSON.</summary>
/// <exception cref="OperationCanceledException">It was cancelled.</exception>
public delegate Task<object> JobWork(JobProgress progress, CancellationToken cancel);

/// <summary>Makes the work of a job; null: this engine cannot do that.</summary>
public delegate JobWork? MakeJob(JobRequest request);

/// <summary>A job as people see it. <paramref name="EtaSeconds"/>: null while nothing can be said.</summary>
internal sealed record JobView(string Id, JobKind Kind, JobState State, double Progress, string Message,
    int? EtaSeconds, string By, UnixTime QueuedAt, UnixTime? StartedAt, UnixTime? EndedAt, object? Result,
    string Link);

/// <summary>
/// Jobs, one at a time, in order. The bounds: <see cref="MaxQueued"/> wait, a further one is refused;
/// <see cref="MaxKept"/> are remembered, the oldest that has ended goes first. They live as long as the process; a job
/// that it ends in is gone, and nothing of it stays.
/// </summary>
internal sealed class JobQueue : BackgroundService
{
    public const int MaxQueued = 16, MaxKept = 100;

    private readonly ApiOptions _options;
    private readonly ILogger<JobQueue> _log;
    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly Lock _gate = new();
    private readonly List<Job> _jobs = [];
    private readonly Channel<Job> _queue = System.Threading.Channels.Channel.CreateUnbounded<Job>();
    private int _last;

    public JobQueue(ApiOptions options, ILogger<JobQueue> log) => (_options, _log) = (options, log);

    private sealed class Job(string id, JobRequest request, JobWork work, string by, UnixTime at)
    {
        public string Id => id;
        public JobRequest Request => request;
        public JobWork Work => work;
        public string By => by;
        public UnixTime QueuedAt => at;
        public CancellationTokenSource Cancel { get; } = new();
        public JobState State;
        public double Progress;
        public string Message = "waits for its turn";
        public UnixTime? StartedAt, EndedAt;
        public long Began;
        public object? Result;
        public bool IsOver => State is JobState.Done or JobState.Failed or JobState.Cancelled;
    }

    /// <exception cref="ApiProblem">429: as many wait as may; 501: not on this engine.</exception>
    public JobView Add(JobRequest request, Caller by)
    {
        var work = _options.MakeJob?.Invoke(request) ?? throw new ApiProblem(501, "not_on_this_engine",
            "This service has no data directory of its own that a job could copy.",
            "Ask a service with the embedded engine.");
        lock (_gate)
        {
            if (_jobs.Count(j => j.State == JobState.Queued) >= MaxQueued)
                throw new ApiProblem(429, "too_many_jobs", $"{MaxQueued} jobs wait already.",
                    "Wait until one has ended, or cancel one.")
                { RetryAfterSeconds = 30 };
            while (_jobs.Count >= MaxKept && _jobs.Find(j => j.IsOver) is { } old) _jobs.Remove(old);
            var job = new Job(string.Create(CultureInfo.InvariantCulture, $"j{++_last}"), request, work, by.Name,
                Now());
            _jobs.Add(job);
            _queue.Writer.TryWrite(job);
            return View(job);
        }
    }

    public IReadOnlyList<JobView> All()
    {
        lock (_gate) return [.. _jobs.Select(View).Reverse()];
    }

    /// <exception cref="ApiProblem">404.</exception>
    public JobView Get(string id)
    {
        lock (_gate) return View(Find(id));
    }

    /// <summary>Cancels it; what has ended stays as it ended.</summary>
    /// <exception cref="ApiProblem">404.</exception>
    public JobView Cancel(string id)
    {
        lock (_gate)
        {
            var job = Find(id);
            if (job.State == JobState.Queued) End(job, JobState.Cancelled, "cancelled before it began", null);
            else if (job.State == JobState.Running) job.Message = "is being cancelled";
            job.Cancel.Cancel();
            return View(job);
        }
    }

    private Job Find(string id) => _jobs.Find(j => j.Id == id) ?? throw new ApiProblem(404, "job_not_found",
        "There is no job with this id: it never was, or is too long ago, or the service was restarted.",
        "GET /api/v1/jobs lists them.");

    private JobView View(Job j)
    {
        int? eta = j.State == JobState.Running && j.Progress is > 0.02 and < 1
            ? (int)Math.Min(1e9, _clock.GetElapsedTime(j.Began).TotalSeconds / j.Progress * (1 - j.Progress)) : null;
        return new JobView(j.Id, j.Request.Kind, j.State, j.Progress, j.Message, eta, j.By, j.QueuedAt, j.StartedAt,
            j.EndedAt, j.Result, $"{JobsApi.Path}/{j.Id}");
    }

    private UnixTime Now() => new(_clock.GetUtcNow().ToUnixTimeSeconds());

    private void End(Job job, JobState state, string message, object? result)
    {
        (job.State, job.Message, job.Result, job.EndedAt) = (state, message, result, Now());
        if (state == JobState.Done) job.Progress = 1;
        if (job.Request is { IsUpload: true, File: { } upload }) Remove(upload);
    }

    private void Remove(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.LogWarning(e, "What was sent for a job could not be removed; the next start does");
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var job in _queue.Reader.ReadAllAsync(stoppingToken))
                if (Begins(job)) await Run(job, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops; what waited is gone with it.
        }
    }

    private bool Begins(Job job)
    {
        lock (_gate)
        {
            if (job.IsOver) return false;
            (job.State, job.StartedAt, job.Began, job.Message) =
                (JobState.Running, Now(), _clock.GetTimestamp(), "begins");
            return true;
        }
    }

    private async Task Run(Job job, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, job.Cancel.Token);
        void Progress(double done, string message)
        {
            either.Token.ThrowIfCancellationRequested();
            lock (_gate) (job.Progress, job.Message) = (Math.Clamp(done, 0, 0.999), message);
        }
        try
        {
            var result = await Task.Run(() => job.Work(Progress, either.Token), either.Token);
            lock (_gate) End(job, JobState.Done, "done", result);
        }
        catch (OperationCanceledException)
        {
            lock (_gate) End(job, JobState.Cancelled, "cancelled", null);
        }
        catch (Exception e)
        {
            if (e is not (ArgumentException or FormatException or Twin.Grains.DataDirectoryException or IOException))
                _log.LogError(e, "A job failed");
            var said = e is IOException ? e.Message : "It failed; the service's log tells why.";
            lock (_gate) End(job, JobState.Failed, said.Length <= 500 ? said : said[..500], null);
        }
    }
}
