using System.Diagnostics;
using Npgsql;
using Twin.Silo.Tests;

namespace Twin.Silo.Tests.Postgres;

/// <summary>
/// A PostgreSQL of the tests' own: made in a temporary directory, reached by a Unix socket there, gone at the end. Run
/// by user postgres when the tests run as root, because PostgreSQL refuses that.
/// </summary>
public sealed class PrivateServer : IDisposable
{
    private const string Owner = "postgres";

    private static readonly TimeSpan ToolTime = TimeSpan.FromSeconds(120);
    private static readonly string? Tools = FindTools();
    private readonly TestDirectory _directory = new();
    private int _databases;

    /// <summary>Why there is no server here; null when there is.</summary>
    public static string? Missing { get; } =
        Tools is null ? "PostgreSQL is not installed here: there is no 'initdb'. Install package 'postgresql'."
        : Environment.IsPrivilegedProcess && !File.Exists(Runuser)
            ? $"The tests run as root and there is no '{Runuser}' to run PostgreSQL as another user." : null;

    private const string Runuser = "/usr/sbin/runuser";

    public PrivateServer()
    {
        if (Missing is not null) return;
        if (Environment.IsPrivilegedProcess) Run("/bin/chown", Owner, _directory.Path);
        // Not synced while it is made; what the tests write is.
        Tool("initdb", "-D", Data, "-U", Owner, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync",
            "--data-checksums");
        Start();
    }

    /// <summary>Directory of the socket; a client's "host".</summary>
    public string Socket => _directory.Path;

    private string Data => _directory.Sub("data");

    /// <summary>Starts the server and waits until it answers.</summary>
    public void Start() => Tool("pg_ctl", "-D", Data, "-w", "-t", "60", "-l", _directory.Sub("log"), "-o",
        $"-c listen_addresses='' -c unix_socket_directories='{Socket}' -c fsync=on -c max_connections=100", "start");

    /// <summary>As a power cut: nothing is finished, the next start recovers from the log.</summary>
    public void Crash() => Tool("pg_ctl", "-D", Data, "-w", "-m", "immediate", "stop");

    /// <summary>Connection string of a new, empty database.</summary>
    public string NewDatabase()
    {
        var name = $"t{Interlocked.Increment(ref _databases)}";
        Execute(To("postgres"), $"CREATE DATABASE {name}");
        return To(name);
    }

    public string To(string database) => $"Host={Socket};Username={Owner};Database={database}";

    public static void Execute(string database, string sql)
    {
        using var connection = new NpgsqlConnection(database + ";Pooling=false");
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    private static string? FindTools()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).ToList();
        const string debian = "/usr/lib/postgresql";
        if (Directory.Exists(debian))
            folders.AddRange(Directory.GetDirectories(debian).OrderDescending().Select(d => Path.Combine(d, "bin")));
        return folders.FirstOrDefault(f => IsThere(Path.Combine(f, "initdb")) && IsThere(Path.Combine(f, "pg_ctl")));
    }

    /// <summary>A link counts by what it leads to.</summary>
    private static bool IsThere(string file) =>
        File.Exists(file) && (File.ResolveLinkTarget(file, returnFinalTarget: true)?.Exists ?? true);

    private void Tool(string name, params string[] arguments)
    {
        var tool = Path.Combine(Tools!, name);
        if (Environment.IsPrivilegedProcess) Run(Runuser, ["-u", Owner, "--", tool, .. arguments]);
        else Run(tool, arguments);
    }

    private void Run(string file, params string[] arguments)
    {
        // No pipes: the server would inherit them and hold them open.
        using var process = Process.Start(new ProcessStartInfo("/bin/sh",
            ["-c", "cd /; exec \"$@\" >\"$0\" 2>&1 </dev/null", _directory.Sub("tool.log"), file, .. arguments]))!;
        if (!process.WaitForExit(ToolTime))
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{file} takes longer than {ToolTime}.");
        }
        if (process.ExitCode != 0)
            throw new InvalidOperationException(
                $"{file} {string.Join(' ', arguments)}: {File.ReadAllText(_directory.Sub("tool.log"))}");
    }

    public void Dispose()
    {
        if (Missing is null && File.Exists(Path.Combine(Data, "postmaster.pid"))) Crash();
        NpgsqlConnection.ClearAllPools();
        _directory.Dispose();
    }
}

/// <summary>One server for the tests that do not stop it.</summary>
[CollectionDefinition(Name)]
public sealed class ServerCollection : ICollectionFixture<PrivateServer>
{
    public const string Name = "postgres";
}
