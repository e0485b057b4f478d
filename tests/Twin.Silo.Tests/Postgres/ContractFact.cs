using Twin.Silo.Tests.Postgres;

namespace Twin.Silo.Tests.Contracts;

/// <summary>What the contract's tests mean by [Fact] in this project: nearer to them than that of xunit.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactAttribute : PostgresFactAttribute;
