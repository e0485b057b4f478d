using Twin.Grains;
using Twin.Hardware.Signatures;
using Twin.Ingest.Mirror;
using Twin.Silo.Embedded;

namespace Twin.Silo;

/// <summary>Opens an engine as the settings say.</summary>
/// <param name="settings">Where the data lie, and what else the engine needs to know.</param>
/// <param name="tell">Takes what the engine has to say to a person, a line at a time.</param>
/// <param name="cancel">Gives up the start.</param>
internal delegate ValueTask<IFleet> OpenEngine(Settings settings, Action<string> tell, CancellationToken cancel);

/// <summary>
/// What this build can do that another cannot. The one file with <c>#if</c>: everywhere else editions differ by folders
/// that project files leave out.
/// </summary>
internal static class Edition
{
#if FULL
    public static string Name => "full";
#else
    public static string Name => "standalone";
#endif

    /// <summary>The engine when nobody asks for another.</summary>
    public const string DefaultEngine = "embedded";

    /// <summary>Engines of this build, by the name that <c>--engine</c> takes.</summary>
    public static IReadOnlyDictionary<string, OpenEngine> Engines { get; } =
        new SortedDictionary<string, OpenEngine>(StringComparer.Ordinal)
        {
            [DefaultEngine] = static (settings, tell, _) => new(EmbeddedFleet.Open(new EmbeddedOptions
            {
                DataPath = settings.Data, Shards = settings.Shards, HorizonDays = settings.HorizonDays,
                RetentionDays = settings.RetentionDays, LedgerKeyFile = settings.LedgerKeyFile,
            }, new TwinFactory(), tell)),
#if FULL
            ["orleans"] = Orleans.SiloProcess.Open,
#endif
        };

    /// <summary>Algorithms that this build verifies.</summary>
    public static SignatureSuite Signatures { get; } =
#if FULL
        Twin.Hardware.PostQuantum.PostQuantumSuites.All;
#else
        SignatureSuite.Classical;
#endif

    /// <summary>Makes a key of ML-DSA of its seed, where this build can sign with one.</summary>
    public static Func<byte[], IMessageSigner>? MlDsaKey { get; } =
#if FULL
        static seed => new Twin.Hardware.PostQuantum.MlDsaKey(seed);
#else
        null;
#endif

    /// <summary>What a mirror's server may speak, by the name that <c>--mirror-kind</c> takes.</summary>
    public static IReadOnlyDictionary<string, Func<MirrorTarget, IMirrorStore>> Mirrors { get; } =
        new SortedDictionary<string, Func<MirrorTarget, IMirrorStore>>(StringComparer.Ordinal)
        {
            ["influx1"] = static target => new InfluxMirror(target, isVersion2: false),
#if INFLUX_CLIENT
            ["influx2"] = static target => new Twin.Ingest.InfluxDb.ClientMirror(target),
#else
            ["influx2"] = static target => new InfluxMirror(target, isVersion2: true),
#endif
            ["victoria"] = static target => new VictoriaMirror(target),
        };

    /// <summary>Figures of the engine on many machines, where this build has it.</summary>
    public static Func<Bench.BenchRun, string, string, int, CancellationToken, Task>? ClusterBench { get; } =
#if FULL
        Orleans.OrleansBench.Run;
#else
        null;
#endif

    /// <summary>What makes models of a utility's own history, where this build has it.</summary>
    public static Learned.Trainer? Trainer { get; } =
#if FULL
        new(Detection.MlNet.MlTrainer.Library, static (kind, rows, seed) => kind == Detection.Learned.LearnedKind.Trees
            ? (Detection.MlNet.MlTrainer.FastTree(rows, seed).Trees, null)
            : (null, Detection.MlNet.MlTrainer.RandomizedPca(rows, seed).Components));
#else
        null;
#endif

    /// <summary>Takes an embedded data directory into an empty cluster, where this build has clusters.</summary>
    public static Func<Settings, CancellationToken, Task<int>>? Import { get; } =
#if FULL
        Orleans.ClusterImport.Run;
#else
        null;
#endif

    /// <summary>Null when this build has the engine; else what may be said, and what to do for more.</summary>
    public static string? CheckEngine(string name)
    {
        if (Engines.ContainsKey(name)) return null;
        var known = $"{string.Join(" or ", Engines.Keys)}, which edition {Name} has";
        return Name == "full" ? known
            : known + "; the orleans engine needs edition full: dotnet build -c Release -p:Edition=full";
    }
}
