using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Twin.Silo.Tests.Crash;

/// <summary>The real executable as a child process.</summary>
internal sealed class Metertwin : IDisposable
{
    /// <summary>A child that takes longer is stuck.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly Task<string>? _output;

    private Metertwin(string[] args, (string Name, string Value)[] environment, bool readsLines)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        foreach (var a in (string[])["exec", Path.Combine(AppContext.BaseDirectory, "metertwin.dll"),
            .. args]) start.ArgumentList.Add(a);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, e) =>
        {
            lock (_errors) _errors.AppendLine(e.Data);
        };
        _process.BeginErrorReadLine();
        if (!readsLines) _output = _process.StandardOutput.ReadToEndAsync();
    }

    public static Metertwin Start(params string[] args) => new(args, [], false);

    /// <summary>A server; its lines are read one by one.</summary>
    public static Metertwin Serve(string data, out Uri address, params string[] flags)
    {
        var server = new Metertwin(["serve", "--data", data, "--port", "0", "--shards", "2", .. flags], [], true);
        while (server._process.StandardOutput.ReadLine() is { } line)
        {
            if (!line.TrimStart().StartsWith("page", StringComparison.Ordinal)) continue;
            address = new Uri(line.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
            return server;
        }
        server._process.WaitForExit();
        throw new InvalidOperationException("The server did not start: " + server.Errors);
    }

    /// <summary>The next line of a server that begins so.</summary>
    public string Line(string beginning)
    {
        while (_process.StandardOutput.ReadLine() is { } line)
            if (line.TrimStart().StartsWith(beginning, StringComparison.Ordinal)) return line.Trim();
        throw new InvalidOperationException($"The server never says '{beginning}': {Errors}");
    }

    public string Errors
    {
        get
        {
            lock (_errors) return _errors.ToString();
        }
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Lets the child run for a moment at most; true when it has ended.</summary>
    public bool Breathe() => _process.WaitForExit(1);

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public (int Exit, string Output) End()
    {
        if (!_process.WaitForExit(Limit)) throw new TimeoutException("The child does not end: " + Errors);
        _process.WaitForExit();
        return (_process.ExitCode, _output!.GetAwaiter().GetResult());
    }

    public static (int Exit, string Output, string Errors) Run((string Name, string Value)[] environment,
        params string[] args)
    {
        using var child = new Metertwin(args, environment, false);
        var (exit, output) = child.End();
        return (exit, output, child.Errors);
    }

    /// <summary>Runs a verb that prints JSON and must end well.</summary>
    public static JsonElement Json(params string[] args) => JsonIn([], args);

    public static JsonElement JsonIn((string Name, string Value)[] environment, params string[] args)
    {
        var (exit, output, errors) = Run(environment, [.. args, "--json"]);
        Assert.True(exit == 0, $"exit {exit}: {errors}{output}");
        return JsonDocument.Parse(output).RootElement;
    }

    public void Dispose()
    {
        if (!_process.HasExited) Kill();
        _process.Dispose();
    }
}
