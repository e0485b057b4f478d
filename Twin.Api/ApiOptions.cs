using System.Security.Cryptography.X509Certificates;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Readers;

namespace Twin.Api;

/// <summary>
/// Where the data come from: anything but <see cref="Live"/> is shown as a banner, so that a replay never looks like
/// live.
/// </summary>
public enum ServiceMode { Live, Replay, Demo }

/// <summary>
/// Parses one line (without its line end) and adds its inputs to the batch of the request. On false nothing was added,
/// and the error says what is wrong and what to do.
/// </summary>
public delegate bool ObservationParser(ReadOnlySpan<byte> line, out string error);

/// <summary>
/// Reads the lines of one request into one batch. <paramref name="Committed"/> is called after each append, before the
/// batch is cleared and filled anew; after a failed append the reader is not used again.
/// </summary>
public sealed record ObservationReader(ObservationParser Parse, Action Committed);

/// <summary>Reads a head-end's reply to an order, XML or MeterTwin's JSON.</summary>
/// <exception cref="FormatException">It is none, or answers nobody here.</exception>
public delegate Input ReplyReader(Stream message, bool isJson);

/// <summary>Set once by the host.</summary>
public sealed class ApiOptions
{
    /// <summary>Makes the reader of one request, which fills the given batch.</summary>
    public required Func<InputBatch, ObservationReader> NewReader { get; init; }

    /// <summary>Makes what messages of IEC 61968-100 are read into; null: the service takes none.</summary>
    public Func<InputBatch, ObservationBatch>? NewSink { get; init; }

    /// <summary>Null: the service gives no orders to a head-end.</summary>
    public ReplyReader? ReadReply { get; init; }

    /// <summary>
    /// The time that acts bear: the host's clock in live service, event time where that outruns every clock.
    /// </summary>
    public required Func<UnixTime> Now { get; init; }

    /// <summary>Finds who asks; null: keys and sessions do, and whatever the members below let in.</summary>
    public Identify? Identify { get; init; }

    /// <summary>Checks tokens of the utility's own sign-in (OpenID Connect); null: there is none.</summary>
    public TokenReader? ReadToken { get; init; }

    /// <summary>The service that a client certificate, whose chain is valid, is of; null: certificates say nothing.
    /// </summary>
    public Func<X509Certificate2, string?>? ReadCertificate { get; init; }

    /// <summary>True when the service is reached by TLS alone: cookies are for TLS then, too.</summary>
    public bool IsTls { get; init; }

    /// <summary>Null: the service makes no dry runs.</summary>
    public TryProposal? TryProposal { get; init; }

    /// <summary>Null: a verdict that is told again counts again.</summary>
    public VerdictOn? VerdictOn { get; init; }

    /// <summary>Opens frames that come over HTTP; null: the service takes none.</summary>
    public FrameSettings? Frames { get; init; }

    /// <summary>
    /// The last time that a live source can speak of; null when any time may come. As <see cref="NewSink"/> has it.
    /// </summary>
    public Func<UnixTime?> Latest { get; init; } = static () => null;

    /// <summary>Null: the service has no jobs.</summary>
    public MakeJob? MakeJob { get; init; }

    /// <summary>
    /// Gives a path, of that ending, for a recording that is sent; it is removed with its job. Null: none can be.
    /// </summary>
    public Func<string, string>? NewUpload { get; init; }

    /// <summary>Folder of recordings that jobs may replay; null: none.</summary>
    public string? ReplayFolder { get; init; }

    /// <summary>Edition of the build, as <c>--version</c> prints it.</summary>
    public required string Edition { get; init; }

    public ServiceMode Mode { get; init; } = ServiceMode.Live;

    /// <summary>Host names accepted beside <c>localhost</c>, <c>127.0.0.1</c> and <c>[::1]</c>; without port.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Tells the guided tour of what runs here; null: there is none.</summary>
    public Func<CancellationToken, ValueTask<IReadOnlyList<TourStep>>>? Tour { get; init; }

    /// <summary>What the host alone can count, for <c>/metrics</c>.</summary>
    public Func<IReadOnlyList<Metric>> MoreMetrics { get; init; } = static () => [];

    public ApiLimits Limits { get; init; } = new();
}

/// <summary>Every bound of the API with its default. What happens at a bound is said beside it.</summary>
public sealed record ApiLimits
{
    /// <summary>
    /// Body of an observations request as sent, possibly compressed. Beyond: 413, lines so far are reported.
    /// </summary>
    public long MaxBodyBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>The same body after decompression. Beyond: 413, lines so far are reported.</summary>
    public long MaxDecodedBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// One message in XML, or a reply of a head-end, after decompression; it is held in memory. Beyond: 413.
    /// </summary>
    public int MaxMessageBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>One line. A longer one is skipped and rejected; the rest goes on.</summary>
    public int MaxLineBytes { get; init; } = 1024 * 1024;

    /// <summary>Lines of one request. Beyond: 413, lines so far are reported.</summary>
    public int MaxLines { get; init; } = 500_000;

    /// <summary>Rejected lines that carry their own reason; later ones carry a common one.</summary>
    public int MaxReasons { get; init; } = 10_000;

    /// <summary>Inputs in one append; a fuller batch is appended before the next line is read.</summary>
    public int BatchItems { get; init; } = 8_192;

    /// <summary>Bytes in one append; as <see cref="BatchItems"/>.</summary>
    public int BatchBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Observation requests at once; each further one waits in a queue of the same length, beyond: 429.
    /// </summary>
    public int ConcurrentIngest { get; init; } = 8;

    /// <summary>
    /// Other requests at once, health and metrics excepted; each further one waits in a queue of the same length,
    /// beyond: 429.
    /// </summary>
    public int ConcurrentReads { get; init; } = 64;

    /// <summary>Clients that listen to events at once. Beyond: 503.</summary>
    public int EventClients { get; init; } = 64;

    /// <summary>Sign-ins at once; each is short.</summary>
    public int ConcurrentSignIns { get; init; } = 16;

    /// <summary>Time to read and answer a sign-in.</summary>
    public TimeSpan SignInTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A connection without a request is closed after so long.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time to send the head of a request.</summary>
    public TimeSpan HeadTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Connections to the server; a further one is closed.</summary>
    public int Connections { get; init; } = 1_024;

    /// <summary>
    /// Age at which what lists are looked through for is read again, in the background; zero: before each answer.
    /// </summary>
    public TimeSpan IndexAge { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time for a read. Beyond: 503.</summary>
    public TimeSpan ReadTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time for an observations request. Beyond: 503, lines so far are reported.</summary>
    public TimeSpan IngestTime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Bytes of a request line and of all headers. Beyond: 414 or 431 from the server itself.</summary>
    public const int MaxHeadBytes = 16 * 1024;

    /// <summary>Body of a request that takes none.</summary>
    public const int MaxOtherBodyBytes = 16 * 1024;
}
