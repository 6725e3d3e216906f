// What better-auth's generator writes for Drizzle: snake_case, plural, times without a zone.
import { boolean, pgTable, text, timestamp } from "drizzle-orm/pg-core";

const stamps = {
  createdAt: timestamp("created_at").notNull(),
  updatedAt: timestamp("updated_at").notNull(),
};

export const users = pgTable("users", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").notNull().unique(),
  emailVerified: boolean("email_verified").notNull(),
  image: text("image"),
  ...stamps,
});

export const sessions = pgTable("sessions", {
  id: text("id").primaryKey(),
  expiresAt: timestamp("expires_at").notNull(),
  token: text("token").notNull().unique(),
  ipAddress: text("ip_address"),
  userAgent: text("user_agent"),
  userId: text("user_id").notNull(),
  ...stamps,
});

export const accounts = pgTable("accounts", {
  id: text("id").primaryKey(),
  accountId: text("account_id").notNull(),
  providerId: text("provider_id").notNull(),
  userId: text("user_id").notNull(),
  accessToken: text("access_token"),
  refreshToken: text("refresh_token"),
  idToken: text("id_token"),
  accessTokenExpiresAt: timestamp("access_token_expires_at"),
  refreshTokenExpiresAt: timestamp("refresh_token_expires_at"),
  scope: text("scope"),
  password: text("password"),
  ...stamps,
});

export const verifications = pgTable("verifications", {
  id: text("id").primaryKey(),
  identifier: text("identifier").notNull(),
  value: text("value").notNull(),
  expiresAt: timestamp("expires_at").notNull(),
  ...stamps,
});

/** The tables, as drizzle-kit makes them. */
export const tables = `
  CREATE TABLE users (
    id text PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE,
    email_verified boolean NOT NULL, image text,
    created_at timestamp NOT NULL, updated_at timestamp NOT NULL);
  CREATE TABLE sessions (
    id text PRIMARY KEY, expires_at timestamp NOT NULL, token text NOT NULL UNIQUE,
    ip_address text, user_agent text, user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamp NOT NULL, updated_at timestamp NOT NULL);
  CREATE TABLE accounts (
    id text PRIMARY KEY, account_id text NOT NULL, provider_id text NOT NULL,
    user_id text NOT NULL REFERENCES users ON DELETE CASCADE, access_token text,
    refresh_token text, id_token text, access_token_expires_at timestamp,
    refresh_token_expires_at timestamp, scope text, password text,
    created_at timestamp NOT NULL, updated_at timestamp NOT NULL);
  CREATE TABLE verifications (
    id text PRIMARY KEY, identifier text NOT NULL, value text NOT NULL,
    expires_at timestamp NOT NULL, created_at timestamp NOT NULL, updated_at timestamp NOT NULL);
`;
