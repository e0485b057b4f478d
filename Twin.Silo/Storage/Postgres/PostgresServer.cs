using Npgsql;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;
using Twin.Grains;

namespace Twin.Silo.Storage.Postgres;

/// <summary>
/// One database server: pooled connections, and how long a failure that may pass is borne before callers hear of it.
/// Safe from several threads.
/// </summary>
internal sealed class PostgresServer : IDisposable
{
    /// <summary>
    /// Connections to the server; a caller beyond waits for one, at most <see cref="ConnectSeconds"/>.
    /// </summary>
    private const int MaxConnections = 24;

    /// <summary>How long opening a connection may take, and one statement.</summary>
    private const int ConnectSeconds = 5, CommandSeconds = 120;

    /// <summary>Attempts after the first, and the longest pause between two.</summary>
    private const int MaxRetries = 4;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50), LongestPause = TimeSpan.FromSeconds(1),
        Patience = TimeSpan.FromSeconds(20), BreakFor = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource _source;
    private readonly ResiliencePipeline _pipeline;
    private readonly string _place;

    /// <exception cref="DataDirectoryException">The connection string is not one.</exception>
    public PostgresServer(string connectionString)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(connectionString)
            {
                SearchPath = "metertwin",
                Timeout = ConnectSeconds,
                CommandTimeout = CommandSeconds,
                // Nothing outlives a transaction here but prepared statements and an empty temporary table.
                NoResetOnClose = true,
                // A cursor's name stands for other columns each time: what is prepared is chosen by hand.
                MaxAutoPrepare = 0,
                IncludeErrorDetail = false,
            };
            settings.MaxPoolSize = Math.Min(settings.MaxPoolSize, MaxConnections);
            settings.ApplicationName ??= "metertwin";
            _place = $"{settings.Host}:{settings.Port}/{settings.Database}";
            _source = new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException)
        {
            // Without the driver's text: it may quote what was given, and with it a password.
            throw new DataDirectoryException("The connection string of PostgreSQL is not understood. Give it as "
                + "'Host=db.example;Port=5432;Database=metertwin;Username=metertwin', the password by PGPASSFILE.",
                null);
        }
        _pipeline = Pipeline();
    }

    /// <summary>
    /// The whole within a time, a few attempts with growing pauses of uneven length, and none at all for a while when
    /// the server has refused for long: a fleet of silos must not storm a server that gets up.
    /// </summary>
    private static ResiliencePipeline Pipeline() => new ResiliencePipelineBuilder()
        .AddTimeout(Patience)
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<NpgsqlException>(MayPass),
            MaxRetryAttempts = MaxRetries,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = FirstPause,
            MaxDelay = LongestPause,
        })
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<NpgsqlException>(MayPass),
            FailureRatio = 0.9,
            MinimumThroughput = 4 * (MaxRetries + 1),
            SamplingDuration = TimeSpan.FromSeconds(10),
            BreakDuration = BreakFor,
        })
        .Build();

    /// <summary>Host, port and database; no user, no password.</summary>
    public string Place => _place;

    public NpgsqlConnection Open() => _source.OpenConnection();

    /// <summary>
    /// Runs work that may be repeated: it changes nothing, or knows itself what of an earlier attempt was committed.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The server was not there for long.</exception>
    public T Try<T>(Func<T> work) => Named(() => _pipeline.Execute(work));

    public void Try(Action work) => Try(() =>
    {
        work();
        return 0;
    });

    /// <summary>Runs work once; the connection's failures become one clear error.</summary>
    public T Named<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (Unavailable(e) is { } unavailable)
        {
            throw unavailable;
        }
    }

    /// <summary>A failure of connection, server or its disk, which may pass; anything else is a defect.</summary>
    private static bool MayPass(NpgsqlException e) => e.IsTransient || e is PostgresException
    {
        // Connection, resources, intervention, system; a standby that is about to lead.
        SqlState: ['0', '8', ..] or ['5', '3' or '7' or '8', ..] or "25006",
    };

    private StorageUnavailableException? Unavailable(Exception e) => e switch
    {
        PostgresException { SqlState: "53100" } p => Say("has no space left", "free space on its disk", p),
        PostgresException { SqlState: ['2', '8', ..] } p => Say($"refuses the login ({p.MessageText})",
            "check user, password and pg_hba.conf", p),
        PostgresException { SqlState: "3D000" } p => Say("has no such database", "create it", p),
        PostgresException { SqlState: "25006" } p => Say("takes no writes", "give the address of the primary", p),
        NpgsqlException n when MayPass(n) => Say($"does not answer ({n.Message})", "check server and network", n),
        TimeoutRejectedException => Say("takes too long", "check server and network", e),
        BrokenCircuitException => Say("has not answered for a while", "check server and network", e),
        _ => null,
    };

    private StorageUnavailableException Say(string what, string remedy, Exception e) =>
        new($"The journal in PostgreSQL at {_place} cannot be used: the server {what}. Nothing acknowledged is lost; "
            + $"{remedy}, and send the batch again.", e);

    public void Dispose() => _source.Dispose();
}
